using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels.Rows;

/// <summary>
/// How numbers lie in memory and what a result is rounded to. Two registers are read and written at a time, in whatever order of
/// lanes is cheapest; the order is the same for reading and writing, which is all that work element by element needs.
/// </summary>
internal unsafe interface IRowFormat
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Bytes { get; }

    /// <summary>The elements i … i + 2·lanes − 1.</summary>
    static abstract void Load(nint source, int i, out Vector<float> a, out Vector<float> b);

    /// <summary>Rounds and writes the elements i … i + 2·lanes − 1.</summary>
    static abstract void Store(Vector<float> a, Vector<float> b, nint destination, int i);

    static abstract float Load(nint source, int i);

    static abstract void Store(float value, nint destination, int i);

    /// <summary>The nearest number of the format, ties to even.</summary>
    static abstract Vector<float> Round(Vector<float> value);

    /// <summary>The nearest number of the format, ties to even.</summary>
    static abstract float Round(float value);
}

/// <summary>float32: nothing is rounded further.</summary>
internal readonly unsafe struct SingleRow : IRowFormat
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(nint source, int i, out Vector<float> a, out Vector<float> b)
    {
        a = Vector.Load((float*)source + i);
        b = Vector.Load((float*)source + i + Vector<float>.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector<float> a, Vector<float> b, nint destination, int i)
    {
        a.Store((float*)destination + i);
        b.Store((float*)destination + i + Vector<float>.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(nint source, int i) => ((float*)source)[i];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, nint destination, int i) => ((float*)destination)[i] = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Round(Vector<float> value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Round(float value) => value;
}

/// <summary>
/// bfloat16, read as 32-bit words: one register holds the words' lower halves, the even elements, the other the upper halves.
/// </summary>
internal readonly unsafe struct BFloat16Row : IRowFormat
{
    private static Vector<uint> Upper => new(0xFFFF0000);

    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(nint source, int i, out Vector<float> a, out Vector<float> b)
    {
        var words = Vector.Load((uint*)((ushort*)source + i));
        a = Vector.AsVectorSingle(words << 16);
        b = Vector.AsVectorSingle(words & Upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector<float> a, Vector<float> b, nint destination, int i) =>
        ((Bits(a) >> 16) | (Bits(b) & Upper)).Store((uint*)((ushort*)destination + i));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(nint source, int i) => BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[i] << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, nint destination, int i) => ((ushort*)destination)[i] = (ushort)(Bits(value) >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Round(Vector<float> value) => Vector.AsVectorSingle(Bits(value) & Upper);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Round(float value) => BitConverter.UInt32BitsToSingle(Bits(value) & 0xFFFF0000);

    /// <summary>A float32 whose upper half is the rounded number; the lower half is to be dropped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Bits(Vector<float> value)
    {
        var bits = Vector.AsVectorUInt32(value);
        var rounded = bits + new Vector<uint>(0x7FFF) + ((bits >> 16) & Vector<uint>.One);
        // A NaN must not be carried over into an infinity or a zero.
        return Vector.ConditionalSelect(Vector.AsVectorUInt32(Vector.Equals(value, value)), rounded, bits | new Vector<uint>(0x400000));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Bits(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? bits | 0x400000 : bits + 0x7FFF + ((bits >> 16) & 1);
    }
}
