using Meft.Kernels.Quantization;

namespace Meft.Core.Planning;

/// <summary>How much of a matrix that is held in blocks becomes plain numbers at once: as many rows, or for the gradient columns, as make a panel.</summary>
public static class BlockPanel
{
    /// <summary>
    /// The weights of a panel at most: few enough for the caches, enough to be multiplied fast. A row that is longer is a panel by itself, and so is the column of blocks
    /// of a matrix with more rows than this holds blocks' widths.
    /// </summary>
    public const long MostWeights = 1 << 21;

    /// <summary>Rows of a panel of whole rows.</summary>
    public static int RowsOf(BlockLayout layout) => (int)Math.Clamp(MostWeights / Math.Max(1, layout.Columns), 1, Math.Max(1, layout.Rows));

    /// <summary>Columns of a panel of whole columns: a whole number of blocks, except where all columns make a panel.</summary>
    public static int ColumnsOf(BlockLayout layout)
    {
        var columns = MostWeights / Math.Max(1, layout.Rows);
        if (columns >= layout.Columns) return layout.Columns;
        return (int)Math.Max(1, columns / layout.BlockWeights) * layout.BlockWeights;
    }

    /// <summary>The most weights of a matrix that are plain numbers at once.</summary>
    public static long WeightsOf(BlockLayout layout) =>
        Math.Max(RowsOf(layout) * (long)layout.Columns, Math.Min((long)ColumnsOf(layout), layout.Columns) * layout.Rows);
}
