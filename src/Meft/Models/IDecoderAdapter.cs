namespace Meft.Models;

/// <summary>
/// What is trained beside a frozen decoder. Where it enters is said by the interfaces derived from this one:
/// <see cref="IFeedForwardAdapter"/> beside feed-forward blocks, <see cref="ILinearAdapter"/> beside single linear maps.
/// </summary>
public interface IDecoderAdapter
{
    /// <summary>Whether a layer, by its absolute index in the model, is adapted. Below the first adapted layer no gradient is computed.</summary>
    bool Adapts(int layer);

    /// <summary>Bytes a token that autograd keeps of the adapter's own operations in a layer until their backward.</summary>
    /// <param name="layer">The layer's absolute index.</param>
    /// <param name="width">Bytes an element of the base's type.</param>
    long KeptBytesPerToken(int layer, int width) => 0;
}
