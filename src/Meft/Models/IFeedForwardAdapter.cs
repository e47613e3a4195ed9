using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// Something that runs beside feed-forward blocks: FFN'(x) = FFN(x) + adapter(x), added before any norm, multiplier or residual
/// addition that follows the block.
/// </summary>
public interface IFeedForwardAdapter
{
    /// <summary>Whether a layer, by its absolute index, has an adapter.</summary>
    bool Adapts(int layer);

    /// <summary>x [T, D], what the layer's feed-forward block reads, real tokens only → what to add to the block's output, [T, D].</summary>
    Tensor Apply(int layer, Tensor x);
}
