using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>The linear maps of one layer, with what an adapter adds to them.</summary>
internal readonly struct AdaptedMaps(int layer, IDecoderAdapter? adapter, bool decoding)
{
    private readonly ILinearAdapter? _adapter = adapter is ILinearAdapter linear && linear.Adapts(layer) ? linear : null;

    /// <summary>x [T, in] → [T, out].</summary>
    public Tensor Apply(LinearMap map, LinearWeights weights, Tensor x)
    {
        var y = weights.Apply(x, few: decoding);
        return _adapter is null ? y : _adapter.Apply(layer, map, x, y);
    }
}
