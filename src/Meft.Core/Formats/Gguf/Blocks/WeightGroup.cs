using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>Sixteen quantized weights at once: what all block types are made of.</summary>
internal static class WeightGroup
{
    /// <summary>The weights of a group.</summary>
    public const int Size = 16;

    private static readonly Vector128<byte> BitOfLane =
        Vector128.Create((byte)1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);

    /// <summary>16 bytes.</summary>
    public static Vector128<byte> Load(ReadOnlySpan<byte> bytes) => Vector128.Create(bytes[..Size]);

    /// <summary>The lower half of each byte.</summary>
    public static Vector128<byte> Low(Vector128<byte> bytes) => bytes & Vector128.Create((byte)0xF);

    /// <summary>The upper half of each byte.</summary>
    public static Vector128<byte> High(Vector128<byte> bytes) => Vector128.ShiftRightLogical(bytes, 4);

    /// <summary>The two bits of each byte that begin at <paramref name="shift"/>.</summary>
    public static Vector128<byte> TwoBits(Vector128<byte> bytes, int shift) =>
        Vector128.ShiftRightLogical(bytes, shift) & Vector128.Create((byte)3);

    /// <summary><paramref name="value"/> in the lanes whose byte has a bit of <paramref name="mask"/>, 0 in the others.</summary>
    public static Vector128<byte> WhereBit(Vector128<byte> bytes, byte mask, byte value) =>
        ~Vector128.Equals(bytes & Vector128.Create(mask), Vector128<byte>.Zero) & Vector128.Create(value);

    /// <summary><paramref name="value"/> in the lanes whose bit, counted from the lowest, is set; 0 in the others.</summary>
    public static Vector128<byte> WhereBit(ushort bits, byte value)
    {
        var spread = Vector128.Create(Vector64.Create((byte)bits), Vector64.Create((byte)(bits >> 8)));
        return ~Vector128.Equals(spread & BitOfLane, Vector128<byte>.Zero) & Vector128.Create(value);
    }

    /// <summary>A half-precision number.</summary>
    public static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    /// <summary>weights = scale · quants.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<sbyte> quants, float scale, Span<float> weights)
    {
        var (a, b, c, d) = Widen(quants);
        (a * scale).CopyTo(weights);
        (b * scale).CopyTo(weights[4..]);
        (c * scale).CopyTo(weights[8..]);
        (d * scale).CopyTo(weights[12..]);
    }

    /// <summary>weights = scale · quants + offset, rounded after each of the two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<sbyte> quants, float scale, float offset, Span<float> weights)
    {
        var (a, b, c, d) = Widen(quants);
        var shift = Vector128.Create(offset);
        (a * scale + shift).CopyTo(weights);
        (b * scale + shift).CopyTo(weights[4..]);
        (c * scale + shift).CopyTo(weights[8..]);
        (d * scale + shift).CopyTo(weights[12..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> A, Vector128<float> B, Vector128<float> C, Vector128<float> D) Widen(Vector128<sbyte> quants)
    {
        var (low, high) = Vector128.Widen(quants);
        var (a, b) = Vector128.Widen(low);
        var (c, d) = Vector128.Widen(high);
        return (Vector128.ConvertToSingle(a), Vector128.ConvertToSingle(b), Vector128.ConvertToSingle(c), Vector128.ConvertToSingle(d));
    }
}
