using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>The weights of one linear map.</summary>
/// <param name="Weight">[out, in].</param>
/// <param name="Bias">[out], or null where the map has none.</param>
internal sealed record LinearWeights(Tensor Weight, Tensor? Bias)
{
    /// <summary>x [T, in] → x·Wᵀ + b [T, out].</summary>
    public Tensor Apply(Tensor x) => nn.functional.linear(x, Weight, Bias);
}
