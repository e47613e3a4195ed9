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
