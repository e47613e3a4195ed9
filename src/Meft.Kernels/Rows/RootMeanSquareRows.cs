using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>
/// RMSNorm (arXiv 1910.07467) of rows: y = w · x / sqrt(mean(x²) + ε), computed in float32; as in Hugging Face the quotient is rounded to
/// the format, then scaled and rounded again.
/// </summary>
public static unsafe class RootMeanSquareRows
{
    private const int NumbersOfRange = 1 << 13;

    /// <summary>Norms every row.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="weight">[width].</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="width">Numbers a row.</param>
    /// <param name="y">[rows, width], written; may be <paramref name="x"/>.</param>
    public static void Apply(nint x, nint weight, FloatFormat format, double epsilon, int rows, int width, nint y)
    {
        var grain = Math.Max(1, NumbersOfRange / width);
        if (rows <= grain) Run(x, weight, format, (float)epsilon, 0, rows, width, y);
        else KernelThreads.For(rows, grain, (from, to) => Run(x, weight, format, (float)epsilon, from, to, width, y));
    }

    private static void Run(nint x, nint weight, FloatFormat format, float epsilon, int from, int to, int width, nint y)
    {
        if (format == FloatFormat.Single) Run<SingleRow>(x, weight, epsilon, from, to, width, y);
        else Run<BFloat16Row>(x, weight, epsilon, from, to, width, y);
    }

    private static void Run<TFormat>(nint x, nint weight, float epsilon, int from, int to, int width, nint y) where TFormat : IRowFormat
    {
        for (var row = from; row < to; row++)
        {
            var offset = (nint)row * width * TFormat.Bytes;
            var scale = 1 / MathF.Sqrt(SumOfSquares<TFormat>(x + offset, width) / width + epsilon);
            Scale<TFormat>(x + offset, scale, weight, width, y + offset);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumOfSquares<TFormat>(nint x, int width) where TFormat : IRowFormat
    {
        Vector<float> s = default, t = default;
        var i = 0;
        for (; i <= width - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(x, i, out var a, out var b);
            s += a * a;
            t += b * b;
        }
        var sum = Vector.Sum(s + t);
        for (; i < width; i++) sum += TFormat.Load(x, i) * TFormat.Load(x, i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale<TFormat>(nint x, float scale, nint weight, int width, nint y) where TFormat : IRowFormat
    {
        var factor = new Vector<float>(scale);
        var i = 0;
        for (; i <= width - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(x, i, out var a, out var b);
            TFormat.Load(weight, i, out var v, out var w);
            TFormat.Store(TFormat.Round(a * factor) * v, TFormat.Round(b * factor) * w, y, i);
        }
        for (; i < width; i++) TFormat.Store(TFormat.Round(TFormat.Load(x, i) * scale) * TFormat.Load(weight, i), y, i);
    }
}
