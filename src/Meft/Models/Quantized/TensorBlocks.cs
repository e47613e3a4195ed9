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
        Tensor Part(Tensor whole) => rows == layout.Rows && count == layout.BlocksOfRow ? whole : whole.narrow(0, row, rows).narrow(1, first, count);
        var result = empty([rows, count, layout.BlockWeights], type, data.device);
        var blocks = new BlockBytes(Part(data.narrow(0, 0, layout.Blocks * layout.BlockBytes).view(layout.Rows, layout.BlocksOfRow, layout.BlockBytes))); // [r, n, B]
        switch (layout.Format)
        {
            case BlockFormat.Int8:
                result.TakeProduct(blocks.Signed(4, 64), blocks.Single(0));
                break;
            case BlockFormat.Nf4:
                Nf4(result, blocks, Part(Scales(data, layout)));
                break;
            case BlockFormat.Q80:
                result.TakeProduct(blocks.Signed(2, 32), blocks.Half(0));
                break;
            case BlockFormat.Q40:
                result.TakeProduct(blocks.Halves(2, 16).Plus(-8.0), blocks.Half(0));
                break;
            case BlockFormat.Q50:
                result.TakeProduct(blocks.Halves(6, 16).Plus(blocks.BitsOf(2, 4).Times(16.0)).Plus(-16.0), blocks.Half(0));
                break;
            case BlockFormat.IQ4NL:
                result.TakeProduct(DeviceTables.LookUp(UnevenValues, blocks.Halves(2, 16)), blocks.Half(0));
                break;
            case BlockFormat.Q41:
                result.copy_((blocks.Halves(4, 16) * blocks.Half(0)).PlusInPlace(blocks.Half(2)));
                break;
            case BlockFormat.Q51:
                result.copy_((blocks.Halves(8, 16).Plus(blocks.BitsOf(4, 4).Times(16.0)) * blocks.Half(0)).PlusInPlace(blocks.Half(2)));
                break;
            default:
                result.copy_(SuperBlocks.Decode(layout.Format, blocks).view(result.shape));
                break;
        }
        var weights = result.view(rows, (long)count * layout.BlockWeights);
        return (weights.shape[1] == columns ? weights : weights.narrow(1, 0, columns).contiguous()).MoveToOuterDisposeScope();
    }

    /// <summary>The values of the IQ4 types.</summary>
    public static float[] UnevenValues { get; } = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>The values of a byte's two halves, the lower one's first, as the bits of one number: a byte is looked up once.</summary>
    private static double[] Nf4Pairs { get; } = [.. Enumerable.Range(0, 256).Select(b => BitConverter.UInt64BitsToDouble(
        BitConverter.SingleToUInt32Bits(NormalFloat.Values[b & 15]) | (ulong)BitConverter.SingleToUInt32Bits(NormalFloat.Values[b >> 4]) << 32))];

    // codes [r, n, 32], scales [r, n] → [r, n, 64]: of each sixteen bytes the lower halves, then the upper ones.
    private static void Nf4(Tensor result, BlockBytes blocks, Tensor scales)
    {
        long rows = scales.shape[0], count = scales.shape[1];
        var values = DeviceTables.LookUp(Nf4Pairs, blocks.Unsigned(0, 32)).SeenAs(ScalarType.Float32); // [r, n, 64], pairs side by side
        result.view(rows, count, 2, 2, 16).TakeProduct(values.view(rows, count, 2, 16, 2).transpose(3, 4), scales.view(rows, count, 1, 1, 1));
    }

    // The scales of a matrix's blocks, [rows, blocks of a row]: code · unit of its group + mean.
    private static Tensor Scales(Tensor data, BlockLayout layout)
    {
        Tensor Singles(long at, long count) => data.narrow(0, layout.GroupsOffset + sizeof(float) * at, sizeof(float) * count).SeenAs(ScalarType.Float32);
        var units = Singles(0, layout.ScaleGroups).unsqueeze(1).expand(layout.ScaleGroups, BlockLayout.ScalesOfGroup).reshape(-1).narrow(0, 0, layout.Blocks);
        var codes = data.narrow(0, layout.ScalesOffset, layout.Blocks).SeenAs(ScalarType.Int8);
        return (codes * units).PlusInPlace(Singles(layout.ScaleGroups, 1)).view(layout.Rows, layout.BlocksOfRow);
    }
}
