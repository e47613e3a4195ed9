using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// An adapter that can compute beside the feed-forward block, forward and backward, where host and device are two machines: it is begun before the
/// block's work is started and finished when that is under way.
/// </summary>
public interface IOverlappingAdapter : IFeedForwardAdapter
{
    /// <summary>Whether it pays; where not, <see cref="IFeedForwardAdapter.Apply"/> is used.</summary>
    bool Overlaps { get; }

    /// <summary>Begins what <see cref="IFeedForwardAdapter.Apply"/> does.</summary>
    /// <param name="layer">The layer's absolute index.</param>
    /// <param name="x">[T, D], exactly what the block itself reads. Belongs to the caller and must live until the call is finished.</param>
    IAdapterCall Begin(int layer, Tensor x);
}

/// <summary>A call of an adapter that has begun. Disposing it unfinished gives it up.</summary>
public interface IAdapterCall : IDisposable
{
    /// <summary>What <see cref="IFeedForwardAdapter.Apply"/> returns: y [T, D]; once, after the block's own work has been started.</summary>
    Tensor Finish();
}
