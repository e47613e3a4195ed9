using Meft.Kernels.Quantization;

namespace Meft.Core.Planning;

/// <summary>How much of a matrix that is held in blocks becomes plain numbers at once: as many rows, or for the gradient columns, as make a panel.</summary>
/// <param name="Layout">The matrix.</param>
/// <param name="Accelerator">Whether operations on tensors decode it on an accelerator, or the kernels in host memory.</param>
public readonly record struct BlockPanel(BlockLayout Layout, bool Accelerator)
{
    /// <summary>
    /// The weights of a panel in host memory at most: few enough for the caches, enough to be multiplied fast. A row that is longer is a panel by itself, and so is
    /// the column of blocks of a matrix with more rows than this holds blocks' widths.
    /// </summary>
    public const long MostWeightsOnHost = 1 << 21;

    /// <summary>
    /// The same on an accelerator, which wants few, large operations: most maps whole. A quarter of it for the blocks of files, of which more is held beside the panel.
    /// </summary>
    public const long MostWeightsOnAccelerator = 1 << 26;

    /// <summary>Bytes a weight that the operations on an accelerator hold at once beside the panel.</summary>
    public int BytesBesideWeight => !Accelerator ? 0 : Layout.Format switch
    {
        BlockFormat.Int8 => 0, // the product is written where it belongs
        BlockFormat.Nf4 => sizeof(float), // their values; a byte's index for two weights is gone when the panel is made
        _ => 3 + 2 * sizeof(float), // quants in bytes and their upper bits, scales; quants and products in float32
    };

    /// <summary>Rows of a panel of whole rows.</summary>
    public int Rows => (int)Math.Clamp(MostWeights / Math.Max(1, Layout.Columns), 1, Math.Max(1, Layout.Rows));

    /// <summary>Columns of a panel of whole columns: a whole number of blocks, except where all columns make a panel.</summary>
    public int Columns
    {
        get
        {
            var columns = MostWeights / Math.Max(1, Layout.Rows);
            if (columns >= Layout.Columns) return Layout.Columns;
            return (int)Math.Max(1, columns / Layout.BlockWeights) * Layout.BlockWeights;
        }
    }

    /// <summary>The most weights that are plain numbers at once.</summary>
    public long Weights => Math.Max(Rows * (long)Layout.Columns, Math.Min((long)Columns, Layout.Columns) * Layout.Rows);

    /// <summary>Bytes that decoding takes at most: the panel, and what is held beside it.</summary>
    /// <param name="width">Bytes an element of the type that is computed in.</param>
    public long Bytes(int width)
    {
        if (!Accelerator) return Weights * width;
        var cut = Layout.Columns % Layout.BlockWeights == 0 ? 0 : Weights * width; // what fills up a row's last block is left away by a copy
        var scales = Layout.Format == BlockFormat.Nf4 ? 2 * sizeof(float) * Layout.Blocks : 0; // the units and their products, of the whole matrix
        return Weights * (width + BytesBesideWeight) + cut + scales;
    }

    /// <summary>Bytes that decoding takes at most among several matrices, which are decoded in turn; 0 where there are none.</summary>
    public static long MostBytes(IEnumerable<BlockLayout> layouts, int width, bool accelerator) =>
        layouts.Select(layout => new BlockPanel(layout, accelerator).Bytes(width)).DefaultIfEmpty(0).Max();

    private long MostWeights => !Accelerator ? MostWeightsOnHost : Layout.Format switch
    {
        BlockFormat.Int8 or BlockFormat.Nf4 => MostWeightsOnAccelerator,
        _ => MostWeightsOnAccelerator / 4,
    };
}
