using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>Sixteen quantized weights at once: what all block types are made of.</summary>
internal static unsafe class WeightGroup
{
    /// <summary>The weights of a group.</summary>
    public const int Size = 16;

    private static readonly Vector128<byte> BitOfLane =
        Vector128.Create((byte)1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);

    /// <summary>16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Load(byte* bytes) => Vector128.Load(bytes);

    /// <summary>The lower half of each byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Low(Vector128<byte> bytes) => bytes & Vector128.Create((byte)0xF);

    /// <summary>The upper half of each byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> High(Vector128<byte> bytes) => Vector128.ShiftRightLogical(bytes, 4);

    /// <summary>The two bits of each byte that begin at <paramref name="shift"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> TwoBits(Vector128<byte> bytes, int shift) =>
        Vector128.ShiftRightLogical(bytes, shift) & Vector128.Create((byte)3);

    /// <summary><paramref name="value"/> in the lanes whose byte has a bit of <paramref name="mask"/>, 0 in the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> WhereBit(Vector128<byte> bytes, byte mask, byte value) =>
        ~Vector128.Equals(bytes & Vector128.Create(mask), Vector128<byte>.Zero) & Vector128.Create(value);

    /// <summary><paramref name="value"/> in the lanes whose bit, counted from the lowest, is set; 0 in the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> WhereBit(ushort bits, byte value)
    {
        var spread = Vector128.Create(Vector64.Create((byte)bits), Vector64.Create((byte)(bits >> 8)));
        return ~Vector128.Equals(spread & BitOfLane, Vector128<byte>.Zero) & Vector128.Create(value);
    }

    /// <summary>A half-precision number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Half(byte* bytes) => (float)Unsafe.ReadUnaligned<Half>(bytes);

    /// <summary>16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Bits16(byte* bytes) => Unsafe.ReadUnaligned<ushort>(bytes);

    /// <summary>32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits32(byte* bytes) => Unsafe.ReadUnaligned<uint>(bytes);

    /// <summary>weights = scale · quants, from element <paramref name="at"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd, TFormat>(Vector128<sbyte> quants, float scale, nint weights, int at)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var factor = TSimd.Broadcast(scale);
        for (var part = 0; part < Size / TSimd.Lanes; part++)
            TFormat.StoreInOrder(TSimd.Multiply(TSimd.Widen(quants, part), factor), weights, at + part * TSimd.Lanes);
    }

    /// <summary>weights = scale · quants + offset, rounded after each of the two, from element <paramref name="at"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd, TFormat>(Vector128<sbyte> quants, float scale, float offset, nint weights, int at)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        TSimd factor = TSimd.Broadcast(scale), shift = TSimd.Broadcast(offset);
        for (var part = 0; part < Size / TSimd.Lanes; part++)
        {
            var scaled = TSimd.Multiply(TSimd.Widen(quants, part), factor);
            TFormat.StoreInOrder(TSimd.Add(scaled, shift), weights, at + part * TSimd.Lanes);
        }
    }
}
