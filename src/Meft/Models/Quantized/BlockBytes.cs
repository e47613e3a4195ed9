using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>Blocks as a tensor of bytes, and what is read from them, always as float32.</summary>
/// <param name="bytes">[r, n, B] of unsigned bytes.</param>
internal readonly struct BlockBytes(Tensor bytes)
{
    private const double BitsOfFraction = 1 << 23;

    /// <summary>All half-precision numbers, and what a float32 of each exponent is made of, on the devices in use.</summary>
    private static readonly float[] HalfValues = [.. Enumerable.Range(0, 1 << 16).Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)bits))];
    private static readonly double[] Powers = [.. Enumerable.Range(0, 256).Select(e => Math.Pow(2, Math.Max(e, 1) - 127))];

    private Device Device => bytes.device;

    /// <summary>Bytes, [r, n, count], 0 to 255.</summary>
    public Tensor Unsigned(int offset, int count) => Part(offset, count).to(ScalarType.Float32);

    /// <summary>Signed bytes, [r, n, count].</summary>
    public Tensor Signed(int offset, int count)
    {
        var values = Unsigned(offset, count);
        return values - values.IsAtLeast(128).to(ScalarType.Float32).Times(256.0);
    }

    /// <summary>The lower four bits of bytes, then their upper four: [r, n, 2·count].</summary>
    public Tensor Halves(int offset, int count) => cat([Bits(offset, count, 0, 4), Bits(offset, count, 4, 4)], 2);

    /// <summary>Some bits of each byte, [r, n, count].</summary>
    public Tensor Bits(int offset, int count, int shift, int width)
    {
        var part = Part(offset, count);
        if (shift > 0) part = part.bitwise_right_shift(Number(shift));
        return part.bitwise_and(Number((1 << width) - 1)).to(ScalarType.Float32);
    }

    /// <summary>The eight bits of each byte, lowest first: [r, n, 8·count].</summary>
    public Tensor BitsOf(int offset, int count)
    {
        var self = this;
        return stack(Enumerable.Range(0, 8).Select(bit => self.Bits(offset, count, bit, 1)), 3).view(bytes.shape[0], bytes.shape[1], 8 * count);
    }

    /// <summary>A half-precision number, [r, n, 1].</summary>
    public Tensor Half(int offset) => LookUp(HalfValues, Unsigned(offset, 1).Plus(Unsigned(offset + 1, 1).Times(256.0)));

    /// <summary>A finite float32, [r, n, 1]: put together from its bits, exactly.</summary>
    public Tensor Single(int offset)
    {
        Tensor upper = Unsigned(offset + 3, 1).to(ScalarType.Float64), third = Unsigned(offset + 2, 1).to(ScalarType.Float64);
        var negative = upper.IsAtLeast(128).to(ScalarType.Float64);
        var odd = third.IsAtLeast(128).to(ScalarType.Float64);
        var exponent = (upper - negative.Times(128.0)).Times(2.0).Plus(odd);
        var fraction = Unsigned(offset, 1).to(ScalarType.Float64).Plus(Unsigned(offset + 1, 1).to(ScalarType.Float64).Times(256.0))
            .Plus((third - odd.Times(128.0)).Times(65536.0));
        using var powers = tensor(Powers, ScalarType.Float64, Device);
        var power = powers.index_select(0, exponent.to(ScalarType.Int64).view(-1)).view(exponent.shape);
        var magnitude = fraction.Times(1 / BitsOfFraction).Plus(exponent.IsAtLeast(1).to(ScalarType.Float64)) * power;
        return (magnitude * negative.Times(-2.0).Plus(1.0)).to(ScalarType.Float32);
    }

    /// <summary>The numbers of a table that whole numbers name, in their shape.</summary>
    public Tensor LookUp(float[] table, Tensor indices)
    {
        var values = tensor(table, ScalarType.Float32, Device);
        return values.index_select(0, indices.to(ScalarType.Int64).reshape(-1)).view(indices.shape);
    }

    private Tensor Part(int offset, int count) => bytes.narrow(2, offset, count);

    private Tensor Number(int value) => ScalarOperations.Filled([1], value, ScalarType.Byte, Device);
}
