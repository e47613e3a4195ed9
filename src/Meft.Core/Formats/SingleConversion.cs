using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Meft.Core.Formats;

/// <summary>
/// Conversions between the float types of files and float32. To float32 they are exact (from float64: rounded to nearest even).
/// </summary>
internal static class SingleConversion
{
    /// <summary>bfloat16 to float32: the bits become the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // a model is loaded once: there is no time to find out that this is called often
    public static void FromBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        var bits = MemoryMarshal.Cast<float, uint>(destination);
        var width = Vector<ushort>.Count;
        var i = 0;
        for (; i <= source.Length - width; i += width)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out var low, out var high);
            Vector.ShiftLeft(low, 16).CopyTo(bits[i..]);
            Vector.ShiftLeft(high, 16).CopyTo(bits[(i + width / 2)..]);
        }
        for (; i < source.Length; i++) bits[i] = (uint)source[i] << 16;
    }

    /// <summary>IEEE half to float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromHalf(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        var width = Vector<ushort>.Count;
        var i = 0;
        for (; i <= source.Length - width; i += width)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out var low, out var high);
            FromHalf(low).CopyTo(destination[i..]);
            FromHalf(high).CopyTo(destination[(i + width / 2)..]);
        }
        for (; i < source.Length; i++) destination[i] = (float)BitConverter.UInt16BitsToHalf(source[i]);
    }

    /// <summary>float32 to bfloat16, rounded to nearest even; a NaN stays a NaN.</summary>
    public static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return (ushort)(bits >> 16 | 0x40);
        return (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    /// <summary>float32 to bfloat16, each number as <see cref="ToBFloat16(float)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToBFloat16(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= source.Length - 2 * width; i += 2 * width)
        {
            var low = ToBFloat16(new Vector<float>(source[i..]));
            var high = ToBFloat16(new Vector<float>(source[(i + width)..]));
            Vector.Narrow(low, high).CopyTo(destination[i..]);
        }
        for (; i < source.Length; i++) destination[i] = ToBFloat16(source[i]);
    }

    /// <summary>float32 to IEEE half, rounded to nearest even; a NaN stays a NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToHalf(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= source.Length - 2 * width; i += 2 * width)
        {
            var low = ToHalf(new Vector<float>(source[i..]));
            var high = ToHalf(new Vector<float>(source[(i + width)..]));
            Vector.Narrow(low, high).CopyTo(destination[i..]);
        }
        for (; i < source.Length; i++) destination[i] = BitConverter.HalfToUInt16Bits((Half)source[i]);
    }

    private static Vector<uint> ToBFloat16(Vector<float> values)
    {
        var bits = Vector.AsVectorUInt32(values);
        var odd = Vector.ShiftRightLogical(bits, 16) & Vector<uint>.One;
        var rounded = Vector.ShiftRightLogical(bits + new Vector<uint>(0x7FFF) + odd, 16);
        var quiet = Vector.ShiftRightLogical(bits, 16) | new Vector<uint>(0x40);
        return Vector.ConditionalSelect(Vector.AsVectorUInt32(Vector.Equals(values, values)), rounded, quiet);
    }

    // A normal half has its exponent and mantissa in the single's upper bits, 2^112 too large: subtracting that difference from the bits, and rounding away
    // 13 of them, carries into the exponent as it should. Below 2^-14 the sum with 0.5 has the half's subnormal in its lowest bits, rounded by the addition.
    private static Vector<uint> ToHalf(Vector<float> values)
    {
        var bits = Vector.AsVectorUInt32(values);
        var magnitude = bits & new Vector<uint>(0x7FFFFFFF);
        var odd = Vector.ShiftRightLogical(magnitude, 13) & Vector<uint>.One;
        var normal = Vector.ShiftRightLogical(magnitude - new Vector<uint>(112u << 23) + new Vector<uint>(0xFFF) + odd, 13);
        var small = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude) + new Vector<float>(0.5f)) - new Vector<uint>(0x3F000000);
        var half = Vector.ConditionalSelect(Vector.LessThan(magnitude, new Vector<uint>(113u << 23)), small, normal);
        half = Vector.Min(half, new Vector<uint>(0x7C00)); // from 65520 on, infinity included
        half = Vector.ConditionalSelect(Vector.GreaterThan(magnitude, new Vector<uint>(0x7F800000)), new Vector<uint>(0x7E00), half);
        return half | Vector.ShiftRightLogical(bits & new Vector<uint>(0x80000000), 16);
    }

    // A half's exponent and mantissa, moved to their places in a single, are too small by the difference of the biases, 2^112;
    // the multiplication is exact and brings subnormals right as well. Infinity and NaN come out at or above 2^16, where no
    // finite half does, and get the exponent of all ones.
    private static Vector<float> FromHalf(Vector<uint> half)
    {
        var magnitude = Vector.ShiftLeft(half & new Vector<uint>(0x7FFF), 13);
        var scaled = Vector.AsVectorSingle(magnitude) * new Vector<float>(BitConverter.UInt32BitsToSingle(0x77800000));
        var notFinite = Vector.AsVectorUInt32(Vector.GreaterThanOrEqual(scaled, new Vector<float>(65536f)));
        var bits = Vector.AsVectorUInt32(scaled) | notFinite & new Vector<uint>(0x7F800000);
        return Vector.AsVectorSingle(bits | Vector.ShiftLeft(half & new Vector<uint>(0x8000), 16));
    }
}
