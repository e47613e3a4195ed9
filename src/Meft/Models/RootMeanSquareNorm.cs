using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>RMSNorm (arXiv 1910.07467).</summary>
internal static class RootMeanSquareNorm
{
    /// <summary>
    /// x [.., n], weight [n] → weight · x / sqrt(mean(x²) + epsilon) [.., n]. As in Hugging Face, the division is done in float32 (or
    /// in float64), its result rounded to x's type, then scaled.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon)
    {
        if (HostNorm.Takes(x, weight)) return HostNorm.Apply(x, weight, epsilon);
        using var scope = NewDisposeScope();
        var wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? x.to(float32) : x;
        var scale = wide.square().mean([-1], keepdim: true).PlusInPlace(epsilon).rsqrt_();
        return (wide * scale).to(x.dtype).mul(weight).MoveToOuterDisposeScope();
    }
}
