using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>The largest number of every row, found where it lies: greedy decoding over logits.</summary>
public static unsafe class LargestOfRow
{
    private const int NumbersOfRange = 1 << 13;

    /// <summary>Finds the largest of each row: of equal ones the first; the first NaN where there is one.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="format">Its format.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="width">Numbers a row, at least one.</param>
    /// <param name="indices">[rows], written.</param>
    /// <param name="values">[rows], written.</param>
    public static void Find(nint x, FloatFormat format, int rows, int width, Span<int> indices, Span<float> values)
    {
        var ranges = (width + NumbersOfRange - 1) / NumbersOfRange;
        var found = new int[rows * ranges];
        KernelThreads.For(rows * ranges, grain: 1, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                var (row, range) = Math.DivRem(i, ranges);
                int first = range * NumbersOfRange, end = Math.Min(width, first + NumbersOfRange);
                var at = FloatRows.At(x, (long)row * width, format);
                found[i] = format == FloatFormat.Single ? Find<SingleRow>(at, first, end) : Find<BFloat16Row>(at, first, end);
            }
        });
        for (var row = 0; row < rows; row++)
        {
            var at = FloatRows.At(x, (long)row * width, format);
            var best = found[row * ranges];
            for (var range = 1; range < ranges; range++)
            {
                var other = found[row * ranges + range];
                if (IsLarger(Value(at, other), Value(at, best))) best = other;
            }
            (indices[row], values[row]) = (best, Value(at, best));
        }

        float Value(nint at, int i) => format == FloatFormat.Single ? SingleRow.Load(at, i) : BFloat16Row.Load(at, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Find<TFormat>(nint x, int from, int to) where TFormat : IRowFormat
    {
        var best = from;
        var largest = TFormat.Load(x, from);
        var i = from + 1;
        while (i < to)
        {
            // Registers in which nothing is larger are passed over; a NaN is not "less or equal".
            var limit = new Vector<float>(largest);
            while (i <= to - 2 * Vector<float>.Count)
            {
                TFormat.Load(x, i, out var a, out var b);
                if (!Vector.LessThanOrEqualAll(a, limit) || !Vector.LessThanOrEqualAll(b, limit)) break;
                i += 2 * Vector<float>.Count;
            }
            var end = Math.Min(to, i + 2 * Vector<float>.Count);
            for (; i < end; i++)
            {
                var value = TFormat.Load(x, i);
                if (IsLarger(value, largest)) (best, largest) = (i, value);
            }
            if (float.IsNaN(largest)) break;
        }
        return best;
    }

    private static bool IsLarger(float a, float b) => a > b || (float.IsNaN(a) && !float.IsNaN(b));
}
