using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// What runs beside a layer's feed-forward block: FFN'(x) = FFN(x) + adapter(x), added before any norm, multiplier or residual
/// addition that follows the block.
/// </summary>
public interface IFeedForwardAdapter : IDecoderAdapter
{
    /// <summary>
    /// x [T, D] → y [T, D]. Called for adapted layers only. T counts real tokens: padding never reaches an adapter.
    /// </summary>
    /// <param name="layer">The layer's absolute index.</param>
    /// <param name="x">[T, D], exactly what the block itself reads, of the base model's type. Belongs to the caller.</param>
    /// <returns>[T, D], of x's type.</returns>
    Tensor Apply(int layer, Tensor x);
}
