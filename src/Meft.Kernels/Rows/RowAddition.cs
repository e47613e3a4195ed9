using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>The residual addition of rows, rounded to the format.</summary>
public static unsafe class RowAddition
{
    private const int NumbersOfRange = 1 << 14;

    /// <summary>y[i] = a[i] + b[i].</summary>
    /// <param name="a">[count].</param>
    /// <param name="b">[count].</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="count">How many numbers.</param>
    /// <param name="y">[count], written; may be one of the inputs.</param>
    public static void Apply(nint a, nint b, FloatFormat format, long count, nint y)
    {
        if (count <= NumbersOfRange) Run(a, b, format, 0, (int)count, y);
        else
        {
            KernelThreads.For(checked((int)((count + NumbersOfRange - 1) / NumbersOfRange)), grain: 1, (from, to) =>
            {
                for (var range = from; range < to; range++)
                {
                    var first = (long)range * NumbersOfRange;
                    Run(a, b, format, first, (int)Math.Min(NumbersOfRange, count - first), y);
                }
            });
        }
    }

    private static void Run(nint a, nint b, FloatFormat format, long first, int count, nint y)
    {
        var offset = FloatRows.At(0, first, format);
        if (format == FloatFormat.Single) Run<SingleRow>(a + offset, b + offset, count, y + offset);
        else Run<BFloat16Row>(a + offset, b + offset, count, y + offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFormat>(nint a, nint b, int count, nint y) where TFormat : IRowFormat
    {
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(a, i, out var a0, out var a1);
            TFormat.Load(b, i, out var b0, out var b1);
            TFormat.Store(a0 + b0, a1 + b1, y, i);
        }
        for (; i < count; i++) TFormat.Store(TFormat.Load(a, i) + TFormat.Load(b, i), y, i);
    }
}
