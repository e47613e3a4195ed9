using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>What runs beside single linear maps of a layer: y' = W·x + b + adapter(x), as LoRA does (arXiv 2106.09685).</summary>
public interface ILinearAdapter : IDecoderAdapter
{
    /// <summary>x [T, in], y [T, out] → y + what this adapter adds, [T, out]; y itself where this map is not adapted.</summary>
    /// <param name="layer">The layer's absolute index.</param>
    /// <param name="map">Which of the layer's maps.</param>
    /// <param name="x">[T, in], what the map reads. Belongs to the caller.</param>
    /// <param name="y">[T, out], the map's own result. Belongs to the caller.</param>
    Tensor Apply(int layer, LinearMap map, Tensor x, Tensor y);
}
