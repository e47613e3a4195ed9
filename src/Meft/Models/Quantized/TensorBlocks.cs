using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>
/// Weights in blocks to plain numbers by operations on tensors, for devices that the kernels cannot reach. The same arithmetic in the same order: the same
/// bits. Shapes: r rows, n blocks of a row, B bytes or W weights of a block.
/// </summary>
internal static class TensorBlocks
{
    /// <summary>matrix[row…, column…] → [rows, columns].</summary>
    /// <param name="data">[bytes] of unsigned bytes, on any device.</param>
    /// <param name="layout">How they lie.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="column">The first column; where a block begins.</param>
    /// <param name="columns">How many; whole blocks, but for the last one of a row.</param>
    /// <param name="type">The type of the result.</param>
    public static Tensor Decode(Tensor data, BlockLayout layout, int row, int rows, int column, int columns, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        int first = column / layout.BlockWeights, count = (columns + layout.BlockWeights - 1) / layout.BlockWeights;
        Tensor Part(long offset, int width) => data.narrow(0, offset, layout.Blocks * width)
            .view(layout.Rows, layout.BlocksOfRow, width).narrow(0, row, rows).narrow(1, first, count); // [r, n, width]
        var blocks = new BlockBytes(Part(0, layout.BlockBytes));
        var weights = layout.Format switch
        {
            BlockFormat.Int8 => blocks.Signed(4, 64) * blocks.Single(0),
            BlockFormat.Nf4 => Nf4(blocks, Scales(data, layout, Part(layout.ScalesOffset, 1), row, first)),
            BlockFormat.Q40 => blocks.Halves(2, 16).Plus(-8.0) * blocks.Half(0),
            BlockFormat.Q41 => (blocks.Halves(4, 16) * blocks.Half(0)).Plus(blocks.Half(2)),
            BlockFormat.Q50 => blocks.Halves(6, 16).Plus(blocks.BitsOf(2, 4).Times(16.0)).Plus(-16.0) * blocks.Half(0),
            BlockFormat.Q51 => (blocks.Halves(8, 16).Plus(blocks.BitsOf(4, 4).Times(16.0)) * blocks.Half(0)).Plus(blocks.Half(2)),
            BlockFormat.Q80 => blocks.Signed(2, 32) * blocks.Half(0),
            BlockFormat.IQ4NL => blocks.LookUp(UnevenValues, blocks.Halves(2, 16)) * blocks.Half(0),
            _ => SuperBlocks.Decode(layout.Format, blocks),
        };
        return weights.reshape(rows, (long)count * layout.BlockWeights).narrow(1, 0, columns).to(type).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The values of the IQ4 types.</summary>
    public static float[] UnevenValues { get; } = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    private static float[] Nf4Values { get; } = [.. NormalFloat.Values];

    // codes [r, n, 32], scales [r, n, 1] → [r, n, 64].
    private static Tensor Nf4(BlockBytes blocks, Tensor scales) =>
        blocks.LookUp(Nf4Values, cat([blocks.Halves(0, 16), blocks.Halves(16, 16)], 2)) * scales;

    // codes [r, n, 1] → [r, n, 1]: code · unit of its group + mean.
    private static Tensor Scales(Tensor data, BlockLayout layout, Tensor codes, int row, int first)
    {
        long groups = layout.ScaleGroups;
        var singles = new BlockBytes(data.narrow(0, layout.GroupsOffset, 4 * (groups + 1)).view(1, groups + 1, 4)).Single(0).view(-1); // [groups + 1]
        long rows = codes.shape[0], count = codes.shape[1];
        var index = ScalarOperations.Counting(rows, ScalarType.Int64, data.device).Plus((long)row).Times((long)layout.BlocksOfRow).view(-1, 1)
            .Plus(ScalarOperations.Counting(count, ScalarType.Int64, data.device).Plus((long)first)); // [r, n], a block's place in the matrix
        using var group = tensor((long)BlockLayout.ScalesOfGroup, ScalarType.Int64, data.device);
        var units = singles.index_select(0, index.floor_divide(group).view(-1)).view(rows, count, 1);
        return (new BlockBytes(codes).Signed(0, 1) * units).Plus(singles.narrow(0, groups, 1));
    }
}
