using Meft.Kernels;
using Meft.Models;

namespace Meft.Adapters;

/// <summary>A feed-forward adapter that can run on a few tokens in host memory, without tensors and without gradients.</summary>
internal interface IFewTokensAdapter : IFeedForwardAdapter
{
    /// <summary>x [T, D] → y [T, D].</summary>
    /// <param name="layer">The layer's absolute index.</param>
    /// <param name="x">What the block itself reads.</param>
    /// <param name="format">The format of x and y.</param>
    /// <param name="tokenCount">T.</param>
    /// <param name="y">Written.</param>
    void ApplyToFew(int layer, nint x, FloatFormat format, int tokenCount, nint y);
}
