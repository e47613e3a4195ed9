using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels.Attention;

/// <summary>Rows of numbers between memory of either format and float32 scratch.</summary>
internal static unsafe class FloatRows
{
    /// <summary>The address of an element.</summary>
    public static nint At(nint start, long element, FloatFormat format) => start + (nint)(element * (format == FloatFormat.Single ? 4 : 2));

    /// <summary>destination[i] = source[i] · scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(nint source, FloatFormat format, float* destination, int count, float scale = 1)
    {
        var i = 0;
        var factor = new Vector<float>(scale);
        if (format == FloatFormat.Single)
        {
            var from = (float*)source;
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(from + i) * factor).Store(destination + i);
            for (; i < count; i++) destination[i] = from[i] * scale;
            return;
        }
        var halves = (ushort*)source;
        for (; i <= count - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(Vector.Load(halves + i), out var low, out var high);
            (Vector.AsVectorSingle(low << 16) * factor).Store(destination + i);
            (Vector.AsVectorSingle(high << 16) * factor).Store(destination + i + Vector<float>.Count);
        }
        for (; i < count; i++) destination[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16) * scale;
    }

    /// <summary>destination[i] = source[i] · scale, rounded to nearest even where the format is narrower.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(float* source, float scale, nint destination, FloatFormat format, int count)
    {
        var i = 0;
        var factor = new Vector<float>(scale);
        if (format == FloatFormat.Single)
        {
            var to = (float*)destination;
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(source + i) * factor).Store(to + i);
            for (; i < count; i++) to[i] = source[i] * scale;
            return;
        }
        var halves = (ushort*)destination;
        for (; i <= count - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            var low = Rounded(Vector.Load(source + i) * factor);
            var high = Rounded(Vector.Load(source + i + Vector<float>.Count) * factor);
            Vector.Narrow(low, high).Store(halves + i);
        }
        for (; i < count; i++) halves[i] = Rounded(source[i] * scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Rounded(Vector<float> value)
    {
        var bits = Vector.AsVectorUInt32(value);
        var rounded = (bits + new Vector<uint>(0x7FFF) + ((bits >> 16) & Vector<uint>.One)) >> 16;
        // A NaN must not be carried over into an infinity or a zero.
        return Vector.ConditionalSelect(Vector.AsVectorUInt32(Vector.Equals(value, value)), rounded, (bits >> 16) | new Vector<uint>(0x40));
    }

    private static ushort Rounded(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)(float.IsNaN(value) ? (bits >> 16) | 0x40 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
