using System.Numerics;

namespace Meft.Kernels;

/// <summary>Looks for numbers that are not finite.</summary>
public static unsafe class Finite
{
    /// <summary>Whether every number of [count, D] is finite.</summary>
    public static bool All(float* rows, int count, int dimension)
    {
        var bad = 0;
        KernelThreads.For(count, grain: 256, (from, to) =>
        {
            if (!AllOf(rows + (long)from * dimension, (long)(to - from) * dimension)) Volatile.Write(ref bad, 1);
        });
        return bad == 0;
    }

    /// <summary>Whether every one of a number of IEEE halves, given by their bits, is finite.</summary>
    public static bool AllHalves(ushort* bits, long count)
    {
        var bad = 0;
        const int range = 1 << 16;
        KernelThreads.For(checked((int)((count + range - 1) / range)), grain: 1, (from, to) =>
        {
            var first = (long)from * range;
            if (!AllHalvesOf(bits + first, Math.Min(count, (long)to * range) - first)) Volatile.Write(ref bad, 1);
        });
        return bad == 0;
    }

    private static bool AllHalvesOf(ushort* bits, long count)
    {
        // An exponent of all ones is that of infinities and NaNs.
        const ushort exponent = 0x7C00;
        long i = 0;
        for (; i <= count - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            if (Vector.EqualsAny(Vector.Load(bits + i) & new Vector<ushort>(exponent), new Vector<ushort>(exponent))) return false;
        }
        for (; i < count; i++)
        {
            if ((bits[i] & exponent) == exponent) return false;
        }
        return true;
    }

    private static bool AllOf(float* values, long count)
    {
        // x − x is 0 for every finite x and NaN for all others; NaN survives a sum.
        var sum = Vector<float>.Zero;
        long i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var x = Vector.Load(values + i);
            sum += x - x;
        }
        var rest = Vector.Sum(sum);
        for (; i < count; i++) rest += values[i] - values[i];
        return rest == 0;
    }
}
