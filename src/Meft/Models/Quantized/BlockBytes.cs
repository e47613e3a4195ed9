using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>
/// Blocks as a tensor of bytes, and what is read from them. Numbers of a few bits stay bytes until they meet a float32: there are many of them, and a wider type
/// would cost the memory's time.
/// </summary>
/// <param name="bytes">[r, n, B] of unsigned bytes.</param>
internal readonly struct BlockBytes(Tensor bytes)
{
    /// <summary>Unsigned bytes as they are, [r, n, count].</summary>
    public Tensor Unsigned(int offset, int count) => bytes.narrow(2, offset, count);

    /// <summary>Signed bytes as they are, [r, n, count].</summary>
    public Tensor Signed(int offset, int count) => Unsigned(offset, count).SeenAs(ScalarType.Int8);

    /// <summary>The lower four bits of bytes, then their upper four: [r, n, 2·count] of unsigned bytes.</summary>
    public Tensor Halves(int offset, int count) => cat([Bits(offset, count, 0, 4), Bits(offset, count, 4, 4)], 2);

    /// <summary>Some bits of each byte, [r, n, count] of unsigned bytes.</summary>
    public Tensor Bits(int offset, int count, int shift, int width)
    {
        var part = Unsigned(offset, count);
        if (shift > 0) part = part.bitwise_right_shift(DeviceTables.Number(shift));
        return shift + width == 8 ? part : part.bitwise_and(DeviceTables.Number((1 << width) - 1));
    }

    /// <summary>The eight bits of each byte, lowest first: [r, n, 8·count] of unsigned bytes.</summary>
    public Tensor BitsOf(int offset, int count)
    {
        var self = this;
        return stack(Enumerable.Range(0, 8).Select(bit => self.Bits(offset, count, bit, 1)), 3).view(bytes.shape[0], bytes.shape[1], 8 * count);
    }

    /// <summary>A half-precision number of the block, [r, n, 1] float32.</summary>
    public Tensor Half(int offset) => Unsigned(offset, sizeof(ushort)).SeenAs(ScalarType.Float16).to(ScalarType.Float32);

    /// <summary>A float32 of the block, [r, n, 1].</summary>
    public Tensor Single(int offset) => Unsigned(offset, sizeof(float)).SeenAs(ScalarType.Float32);
}
