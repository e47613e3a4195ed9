using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>GGUF's blocks of 256 weights by operations on tensors; the kernels' block types say how each is laid out. Shapes as in <see cref="TensorBlocks"/>.</summary>
internal static class SuperBlocks
{
    /// <summary>[r, n, B] → [r, n, g, 256 / g] float32, in the order of the weights.</summary>
    public static Tensor Decode(BlockFormat format, BlockBytes blocks) => format switch
    {
        BlockFormat.Q2K => Q2K(blocks),
        BlockFormat.Q3K => Q3K(blocks),
        BlockFormat.Q4K => WithMinima(blocks, Nibbles(blocks, 16)),
        BlockFormat.Q5K => WithMinima(blocks, Nibbles(blocks, 48).Plus(Planes(blocks, 16, 32, 8, 1).Times(16.0))),
        BlockFormat.Q6K => Q6K(blocks),
        BlockFormat.IQ4XS => IQ4XS(blocks),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    private static Tensor Q2K(BlockBytes b)
    {
        var quants = cat([Planes(b, 16, 32, 4, 2), Planes(b, 48, 32, 4, 2)], 2); // [r, n, 8, 32]
        var scale = b.Half(80) * b.Bits(0, 16, 0, 4);
        var minimum = b.Half(82) * b.Bits(0, 16, 4, 4); // [r, n, 16]
        return Groups(quants, 16) * scale.unsqueeze(3) - minimum.unsqueeze(3);
    }

    private static Tensor Q3K(BlockBytes b)
    {
        var low = cat([Planes(b, 32, 32, 4, 2), Planes(b, 64, 32, 4, 2)], 2);
        var quants = low.Plus(Planes(b, 0, 32, 8, 1).Times(4.0)).Plus(-4.0);
        var upper = Planes(b, 104, 4, 4, 2); // [r, n, 4, 4]
        var scale = b.Halves(96, 8).Plus(upper.flatten(2).Times(16.0)); // [r, n, 16]
        return Groups(quants, 16) * (b.Half(108) * scale.Plus(-32.0)).unsqueeze(3);
    }

    private static Tensor Q6K(BlockBytes b)
    {
        Tensor Half(int half)
        {
            Tensor low = b.Bits(64 * half, 64, 0, 4), high = b.Bits(64 * half, 64, 4, 4); // two planes of 32 each
            return cat([low, high], 2).view(low.shape[0], low.shape[1], 4, 32).Plus(Planes(b, 128 + 32 * half, 32, 4, 2).Times(16.0));
        }
        var quants = cat([Half(0), Half(1)], 2).Plus(-32.0);
        return Groups(quants, 16) * (b.Half(208) * b.Signed(192, 16)).unsqueeze(3);
    }

    private static Tensor IQ4XS(BlockBytes b)
    {
        var (even, odd) = (b.Bits(4, 4, 0, 4), b.Bits(4, 4, 4, 4));
        var lower = stack([even, odd], 3).flatten(2); // [r, n, 8]
        // The upper bits of the scales, two of each, lowest scale first: four scales a byte.
        var upper = stack([.. Enumerable.Range(0, 4).Select(i => b.Bits(2, 2, 2 * i, 2))], 3).flatten(2);
        var scale = b.Half(0) * lower.Plus(upper.Times(16.0)).Plus(-32.0);
        var quants = stack([b.Bits(8, 128, 0, 4).view(lower.shape[0], lower.shape[1], 8, 16), b.Bits(8, 128, 4, 4).view(lower.shape[0], lower.shape[1], 8, 16)], 3);
        return DeviceTables.LookUp(TensorBlocks.UnevenValues, quants).flatten(3) * scale.unsqueeze(3);
    }

    // Q4_K and Q5_K: quants [r, n, 8, 32]; 12 bytes hold 8 scales and 8 minima of six bits.
    private static Tensor WithMinima(BlockBytes b, Tensor quants)
    {
        var scale = cat([b.Bits(4, 4, 0, 6), b.Bits(12, 4, 0, 4).Plus(b.Bits(4, 4, 6, 2).Times(16.0))], 2);
        var minimum = cat([b.Bits(8, 4, 0, 6), b.Bits(12, 4, 4, 4).Plus(b.Bits(8, 4, 6, 2).Times(16.0))], 2);
        return quants * (b.Half(0) * scale).unsqueeze(3) - (b.Half(2) * minimum).unsqueeze(3);
    }

    // Four times 32 bytes: of each the lower halves are 32 weights, the upper halves the next → [r, n, 8, 32].
    private static Tensor Nibbles(BlockBytes b, int offset)
    {
        Tensor low = b.Bits(offset, 128, 0, 4), high = b.Bits(offset, 128, 4, 4);
        return stack([low.view(low.shape[0], low.shape[1], 4, 32), high.view(low.shape[0], low.shape[1], 4, 32)], 3).flatten(2, 3);
    }

    // The bit planes of bytes, lowest first → [r, n, planes, count].
    private static Tensor Planes(BlockBytes b, int offset, int count, int planes, int width) =>
        stack([.. Enumerable.Range(0, planes).Select(plane => b.Bits(offset, count, plane * width, width))], 2);

    // [r, n, 8, 32] → [r, n, groups, 256 / groups].
    private static Tensor Groups(Tensor quants, int groups) => quants.reshape(quants.shape[0], quants.shape[1], groups, 256 / groups);
}
