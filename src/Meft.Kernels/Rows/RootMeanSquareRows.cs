using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels.Rows;

/// <summary>
/// RMSNorm (arXiv 1910.07467) of rows: y = w · x / sqrt(mean(x²) + ε), computed in float32; <see cref="WeightScaling"/> says when the
/// quotient is rounded, and whether 1 + w stands for w.
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
    /// <param name="scaling">How the weight is applied.</param>
    public static void Apply(
        nint x, nint weight, FloatFormat format, double epsilon, int rows, int width, nint y, WeightScaling scaling = WeightScaling.AfterRounding)
    {
        var job = new Job(x, weight, (float)epsilon, width, y, scaling);
        var grain = Math.Max(1, NumbersOfRange / width);
        if (rows <= grain) Run(job, format, 0, rows);
        else KernelThreads.For(rows, grain, (from, to) => Run(job, format, from, to));
    }

    private readonly record struct Job(nint X, nint Weight, float Epsilon, int Width, nint Y, WeightScaling Scaling);

    private static void Run(in Job job, FloatFormat format, int from, int to)
    {
        if (format == FloatFormat.Single) Run<SingleRow>(job, from, to);
        else Run<BFloat16Row>(job, from, to);
    }

    private static void Run<TFormat>(in Job job, int from, int to) where TFormat : IRowFormat
    {
        for (var row = from; row < to; row++)
        {
            var offset = (nint)row * job.Width * TFormat.Bytes;
            var scale = 1 / MathF.Sqrt(SumOfSquares<TFormat>(job.X + offset, job.Width) / job.Width + job.Epsilon);
            if (job.Scaling == WeightScaling.AfterRounding) Scale<TFormat>(job.X + offset, scale, job.Weight, job.Width, job.Y + offset);
            else ScaleWide<TFormat>(job.X + offset, scale, job.Weight, job.Scaling == WeightScaling.OnePlusWeight ? 1 : 0, job.Width, job.Y + offset);
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

    /// <summary>As <see cref="Scale"/>, the weight's sum with an offset applied before anything is rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScaleWide<TFormat>(nint x, float scale, nint weight, float offset, int width, nint y) where TFormat : IRowFormat
    {
        Vector<float> factor = new(scale), offsets = new(offset);
        var i = 0;
        for (; i <= width - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(x, i, out var a, out var b);
            TFormat.Load(weight, i, out var v, out var w);
            TFormat.Store(a * factor * (v + offsets), b * factor * (w + offsets), y, i);
        }
        for (; i < width; i++) TFormat.Store(TFormat.Load(x, i) * scale * (TFormat.Load(weight, i) + offset), y, i);
    }
}
