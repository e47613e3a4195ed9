using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>
/// Weights in blocks to plain numbers by operations on tensors, for devices that the kernels cannot reach. The same arithmetic in the same order: the same
/// bits. Shapes: r rows, n blocks of a row, B bytes or W weights of a block.
/// </summary>
internal sealed class TensorBlocks : IDisposable
{
    private readonly BlockLayout _layout;
    private readonly Device _device;
    private readonly Tensor _bytes; // [r, n, B] of the whole matrix
    private readonly DoublyQuantizedScales? _scales;

    /// <param name="data">[bytes] of unsigned bytes, on any device.</param>
    /// <param name="layout">How they lie.</param>
    public TensorBlocks(Tensor data, BlockLayout layout)
    {
        using var scope = NewDisposeScope();
        (_layout, _device) = (layout, data.device);
        _bytes = data.narrow(0, 0, layout.Blocks * layout.BlockBytes).view(layout.Rows, layout.BlocksOfRow, layout.BlockBytes).DetachFromDisposeScope();
        _scales = layout.Format == BlockFormat.Nf4 ? new DoublyQuantizedScales(data, layout) : null;
    }

    /// <summary>matrix[row…, column…] → [rows, columns].</summary>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="column">The first column; where a block begins.</param>
    /// <param name="columns">How many; whole blocks, but for the last one of a row.</param>
    /// <param name="type">The type of the result.</param>
    public Tensor Decode(int row, int rows, int column, int columns, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        int first = column / _layout.BlockWeights, count = (columns + _layout.BlockWeights - 1) / _layout.BlockWeights;
        Tensor Part(Tensor whole) => rows == _layout.Rows && count == _layout.BlocksOfRow ? whole : whole.narrow(0, row, rows).narrow(1, first, count);
        var width = count * _layout.BlockWeights;
        var weights = _scales is null
            ? Blocks(new BlockBytes(Part(_bytes), rows, count, _device), empty([rows, width], type, _device), [rows, count, _layout.BlockWeights])
            : Nf4(Part(_bytes), Part(_scales.Decode()), rows, count, type);
        return (width == columns ? weights : weights.narrow(1, 0, columns).contiguous()).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the views of the matrix, whose bytes belong to whoever made them.</summary>
    public void Dispose()
    {
        _bytes.Dispose();
        _scales?.Dispose();
    }

    /// <summary>The values of a byte's two halves, the lower one's first, as the bits of one number: a byte is looked up once.</summary>
    private static double[] Nf4Pairs { get; } = [.. Enumerable.Range(0, 256).Select(b => BitConverter.UInt64BitsToDouble(
        BitConverter.SingleToUInt32Bits(NormalFloat.Values[b & 15]) | (ulong)BitConverter.SingleToUInt32Bits(NormalFloat.Values[b >> 4]) << 32))];

    // result [r, n·W]; shape: r, n, W.
    private Tensor Blocks(BlockBytes blocks, Tensor result, long[] shape)
    {
        var weights = result.view(shape);
        switch (_layout.Format)
        {
            case BlockFormat.Int8:
                weights.TakeProduct(blocks.Signed(4, 64), blocks.Single(0));
                break;
            case BlockFormat.Q80:
                weights.TakeProduct(blocks.Signed(2, 32), blocks.Half(0));
                break;
            case BlockFormat.Q40:
                weights.TakeProduct(blocks.Planes(2, 1, 16, 4, 32).Plus(-8.0), blocks.Half(0));
                break;
            case BlockFormat.Q50:
                weights.TakeProduct(FiveBits(blocks, 6, 2).Plus(-16.0), blocks.Half(0));
                break;
            case BlockFormat.IQ4NL:
                weights.TakeProduct(blocks.Uneven(blocks.Planes(2, 1, 16, 4, 32)), blocks.Half(0));
                break;
            case BlockFormat.Q41:
                weights.copy_((blocks.Planes(4, 1, 16, 4, 32) * blocks.Half(0)).PlusInPlace(blocks.Half(2)));
                break;
            case BlockFormat.Q51:
                weights.copy_((FiveBits(blocks, 8, 4) * blocks.Half(0)).PlusInPlace(blocks.Half(2)));
                break;
            default:
                weights.copy_(SuperBlocks.Decode(_layout.Format, blocks).view(shape));
                break;
        }
        return result;
    }

    // Sixteen bytes of the lower four bits, four bytes of the fifth: [r, n, 32].
    private static Tensor FiveBits(BlockBytes blocks, int lower, int fifth) =>
        blocks.Planes(lower, 1, 16, 4, 32).bitwise_or_(BlockBytes.Raised(blocks.Spread(fifth, 4, 1), 4));

    // codes [r, n, 32], scales [r, n, 1, 1, 1] → [r, n·64]: of each sixteen bytes the lower halves, then the upper ones.
    private Tensor Nf4(Tensor codes, Tensor scales, long rows, long count, ScalarType type)
    {
        var values = DeviceTables.LookUp(DeviceTables.Of(Nf4Pairs, _device), codes).SeenAs(ScalarType.Float32); // pairs side by side
        var result = empty([rows, count * 64], type, _device);
        result.view(rows, count, 2, 2, 16).TakeProduct(values.as_strided([rows, count, 2, 2, 16], [count * 64, 64, 32, 1, 2]), scales);
        return result;
    }
}
