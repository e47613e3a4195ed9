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
        BlockFormat.Q5K => WithMinima(blocks, Nibbles(blocks, 48).bitwise_or_(BlockBytes.Raised(blocks.Planes(16, 1, 32, 1, 8, 32), 4))),
        BlockFormat.Q6K => Q6K(blocks),
        BlockFormat.IQ4XS => IQ4XS(blocks),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    private static Tensor Q2K(BlockBytes b)
    {
        // 16 bytes hold 16 scales and 16 minima of four bits: [r, n, 2, 16, 1].
        var factors = b.Half(80, 2).unsqueeze(3) * b.Planes(0, 1, 16, 4, 2, 16);
        return (b.Planes(16, 2, 32, 2, 16, 16) * Column(factors, 0)).sub_(Column(factors, 1));
    }

    private static Tensor Q3K(BlockBytes b)
    {
        var quants = b.Planes(32, 2, 32, 2, 16, 16).bitwise_or_(BlockBytes.Raised(b.Planes(0, 1, 32, 1, 16, 16), 2)).Plus(-4.0);
        var scale = b.Planes(96, 1, 8, 4, 16).bitwise_or_(BlockBytes.Raised(b.Planes(104, 1, 4, 2, 16), 4)).Plus(-32.0);
        return quants * (b.Half(108) * scale).unsqueeze(3);
    }

    private static Tensor Q6K(BlockBytes b)
    {
        var quants = b.Planes(0, 2, 64, 4, 16, 16).bitwise_or_(BlockBytes.Raised(b.Planes(128, 2, 32, 2, 16, 16), 4)).Plus(-32.0);
        return quants * (b.Half(208) * b.Signed(192, 16)).unsqueeze(3);
    }

    private static Tensor IQ4XS(BlockBytes b)
    {
        var scale = b.Half(0) * b.Spread(4, 4, 4).bitwise_or_(BlockBytes.Raised(b.Spread(2, 2, 2), 4)).Plus(-32.0); // [r, n, 8]
        return b.Uneven(b.Planes(8, 8, 16, 4, 8, 32)) * scale.unsqueeze(3);
    }

    // Q4_K and Q5_K: quants [r, n, 8, 32]; 12 bytes hold 8 scales and 8 minima of six bits. The first four of both are the lower bits of bytes 4 to 11; of the
    // others the lower four are in bytes 12 to 15, scales in the lower halves, and the upper two in those of bytes 4 to 11.
    private static Tensor WithMinima(BlockBytes b, Tensor quants)
    {
        var late = b.Planes(12, 1, 4, 4, 8).bitwise_or_(BlockBytes.Raised(b.Upper(4, 8, 2), 4));
        var both = stack([b.Lower(4, 8, 6), late], 2).unflatten(3, [2, 4]).transpose(2, 3).flatten(3); // [r, n, early or late, 8] → [r, n, scales or minima, 8]
        var factors = b.Half(0, 2).unsqueeze(3) * both;
        return (quants * Column(factors, 0)).sub_(Column(factors, 1));
    }

    // Four times 32 bytes: of each the lower halves are 32 weights, the upper halves the next → [r, n, 8, 32].
    private static Tensor Nibbles(BlockBytes b, int offset) => b.Planes(offset, 4, 32, 4, 8, 32);

    // [r, n, 2, g] → one of the two, [r, n, g, 1].
    private static Tensor Column(Tensor factors, int which) => factors.select(2, which).unsqueeze(3);
}
