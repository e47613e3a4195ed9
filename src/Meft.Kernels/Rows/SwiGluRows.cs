using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>SwiGLU (arXiv 2002.05202): y = silu(g) · u with silu(g) = g / (1 + e^−g), which is rounded to the format before the product.</summary>
public static unsafe class SwiGluRows
{
    private const int NumbersOfRange = 1 << 12;

    /// <summary>y[i] = silu(gate[i]) · up[i].</summary>
    /// <param name="gate">[count].</param>
    /// <param name="up">[count].</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="count">How many numbers.</param>
    /// <param name="y">[count], written; may be one of the inputs.</param>
    public static void Apply(nint gate, nint up, FloatFormat format, long count, nint y)
    {
        if (count <= NumbersOfRange) Run(gate, up, format, 0, (int)count, y);
        else
        {
            KernelThreads.For(checked((int)((count + NumbersOfRange - 1) / NumbersOfRange)), grain: 1, (from, to) =>
            {
                for (var range = from; range < to; range++)
                {
                    var first = (long)range * NumbersOfRange;
                    Run(gate, up, format, first, (int)Math.Min(NumbersOfRange, count - first), y);
                }
            });
        }
    }

    private static void Run(nint gate, nint up, FloatFormat format, long first, int count, nint y)
    {
        var offset = FloatRows.At(0, first, format);
        if (format == FloatFormat.Single) Run<SingleRow>(gate + offset, up + offset, count, y + offset);
        else Run<BFloat16Row>(gate + offset, up + offset, count, y + offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFormat>(nint gate, nint up, int count, nint y) where TFormat : IRowFormat
    {
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(gate, i, out var g0, out var g1);
            TFormat.Load(up, i, out var u0, out var u1);
            TFormat.Store(TFormat.Round(Silu(g0)) * u0, TFormat.Round(Silu(g1)) * u1, y, i);
        }
        for (; i < count; i++)
        {
            var g = TFormat.Load(gate, i);
            TFormat.Store(TFormat.Round(g / (1 + MathF.Exp(-g))) * TFormat.Load(up, i), y, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Silu(Vector<float> g) => g / (Vector<float>.One + Vector.Exp(-g));
}
