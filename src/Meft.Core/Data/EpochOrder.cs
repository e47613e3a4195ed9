namespace Meft.Core.Data;

/// <summary>The rows of an epoch in the order they are taken; neighbours may form a bin, which then is one row of a batch.</summary>
/// <param name="Epoch">The epoch, counted from 0.</param>
/// <param name="Rows">Numbers of rows. A row with a weight may be there several times.</param>
/// <param name="BinEnds">Where in <paramref name="Rows"/> each bin ends; null where every row is a bin of its own.</param>
internal sealed record EpochOrder(int Epoch, int[] Rows, int[]? BinEnds)
{
    /// <summary>Rows of batches.</summary>
    public int BinCount => BinEnds?.Length ?? Rows.Length;

    /// <summary>Where in <see cref="Rows"/> a bin begins; that of <see cref="BinCount"/> is the end of them all.</summary>
    public int StartOf(int bin) => BinEnds is null || bin == 0 ? bin : BinEnds[bin - 1];
}
