namespace Meft.Models;

/// <summary>
/// What is trained beside a frozen decoder. Where it enters is said by the interfaces derived from this one:
/// <see cref="IFeedForwardAdapter"/> beside feed-forward blocks, <see cref="ILinearAdapter"/> beside single linear maps.
/// </summary>
public interface IDecoderAdapter
{
    /// <summary>Whether a layer, by its absolute index in the model, is adapted. Below the first adapted layer no gradient is computed.</summary>
    bool Adapts(int layer);
}
