using Meft.Core.Formats.HuggingFace;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>RMSNorm (arXiv 1910.07467).</summary>
internal static class RootMeanSquareNorm
{
    /// <summary>
    /// x [.., n], weight [n] → weight · x / sqrt(mean(x²) + epsilon) [.., n]. As in Hugging Face, the division is done in float32 (or
    /// in float64); the scaling says when its result is rounded to x's type, and whether 1 + weight stands for the weight.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, NormScaling scaling)
    {
        if (HostNorm.Takes(x, weight)) return HostNorm.Apply(x, weight, epsilon, scaling);
        using var scope = NewDisposeScope();
        var wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? x.to(float32) : x;
        var scale = wide.Squared().mean([-1], keepdim: true).PlusInPlace(epsilon).rsqrt_();
        if (scaling == NormScaling.AfterRounding) return (wide * scale).to(x.dtype).mul(weight).MoveToOuterDisposeScope();
        var wideWeight = weight.to(wide.dtype);
        if (scaling == NormScaling.OnePlusWeight) wideWeight = wideWeight.Plus(1.0);
        return (wide * scale * wideWeight).to(x.dtype).MoveToOuterDisposeScope();
    }
}
