using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>The residual addition of rows, rounded to the format; the product with a factor is rounded first.</summary>
public static unsafe class RowAddition
{
    private const int NumbersOfRange = 1 << 14;

    /// <summary>y[i] = a[i] + factor · b[i].</summary>
    /// <param name="a">[count].</param>
    /// <param name="b">[count].</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="count">How many numbers.</param>
    /// <param name="y">[count], written; may be one of the inputs.</param>
    /// <param name="factor">What b is multiplied by.</param>
    public static void Apply(nint a, nint b, FloatFormat format, long count, nint y, float factor = 1)
    {
        if (count <= NumbersOfRange) Run(a, b, format, 0, (int)count, y, factor);
        else
        {
            KernelThreads.For(checked((int)((count + NumbersOfRange - 1) / NumbersOfRange)), grain: 1, (from, to) =>
            {
                for (var range = from; range < to; range++)
                {
                    var first = (long)range * NumbersOfRange;
                    Run(a, b, format, first, (int)Math.Min(NumbersOfRange, count - first), y, factor);
                }
            });
        }
    }

    private static void Run(nint a, nint b, FloatFormat format, long first, int count, nint y, float factor)
    {
        var offset = FloatRows.At(0, first, format);
        if (format == FloatFormat.Single) Run<SingleRow>(a + offset, b + offset, count, y + offset, factor);
        else Run<BFloat16Row>(a + offset, b + offset, count, y + offset, factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFormat>(nint a, nint b, int count, nint y, float factor) where TFormat : IRowFormat
    {
        var factors = new Vector<float>(factor);
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(a, i, out var a0, out var a1);
            TFormat.Load(b, i, out var b0, out var b1);
            TFormat.Store(a0 + TFormat.Round(b0 * factors), a1 + TFormat.Round(b1 * factors), y, i);
        }
        for (; i < count; i++) TFormat.Store(TFormat.Load(a, i) + TFormat.Round(TFormat.Load(b, i) * factor), y, i);
    }
}
