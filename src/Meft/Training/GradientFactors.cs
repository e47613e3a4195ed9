using System.Numerics;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>
/// What a step's gradients are multiplied by while they are computed; the update divides by it. In float16, whose range is from 6·10⁻⁸ to 65,504, the gradient
/// of a mean over many tokens would vanish on its way down. So a step first has it about 128 times as large as that of a single token's loss; where that is too
/// large somewhere, so that a gradient is not finite, the step is done again with less, at the last with the gradient as it is. No step depends on what an earlier one needed: a resumed
/// run does the same as one that was never interrupted. A factor is a power of two: dividing by it changes no digit.
/// </summary>
internal static class GradientFactors
{
    private const double Headroom = 128;

    /// <summary>The factors to try in turn for a step; for all types but float16 there is one, which is 1.</summary>
    /// <param name="type">The type that the base computes in.</param>
    /// <param name="trainedTokens">Tokens that the loss is the mean of.</param>
    public static IReadOnlyList<double> For(ScalarType type, long trainedTokens)
    {
        if (type != ScalarType.Float16) return [1];
        double tokens = 1L << BitOperations.Log2((ulong)trainedTokens);
        return [.. new[] { tokens * Headroom, tokens, tokens / Headroom }.Where(factor => factor > 1), 1];
    }
}
