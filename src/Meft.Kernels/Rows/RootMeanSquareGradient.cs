using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels.Rows;

/// <summary>
/// The gradient of <see cref="RootMeanSquareRows"/>: with r = 1 / sqrt(mean(x²) + ε) and g = w · dy,
/// dx = r · g − x · r³ · mean(g · x). Computed in float32 and rounded once; 1 + w stands for w where <see cref="WeightScaling"/> says so.
/// </summary>
public static unsafe class RootMeanSquareGradient
{
    private const int NumbersOfRange = 1 << 13;

    /// <summary>The gradient of every row.</summary>
    /// <param name="x">[rows, width], what was normed.</param>
    /// <param name="weight">[width].</param>
    /// <param name="dy">[rows, width], the gradient of the result.</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="width">Numbers a row.</param>
    /// <param name="dx">[rows, width], written; may be <paramref name="dy"/>.</param>
    /// <param name="scaling">How the weight is applied.</param>
    public static void Apply(
        nint x, nint weight, nint dy, FloatFormat format, double epsilon, int rows, int width, nint dx,
        WeightScaling scaling = WeightScaling.AfterRounding)
    {
        var job = new Job(x, weight, scaling == WeightScaling.OnePlusWeight ? 1 : 0, dy, (float)epsilon, width, dx);
        KernelThreads.For(rows, Math.Max(1, NumbersOfRange / width), (from, to) =>
        {
            if (format == FloatFormat.Single) Run<SingleRow>(job, from, to);
            else Run<BFloat16Row>(job, from, to);
        });
    }

    private readonly record struct Job(nint X, nint Weight, float Offset, nint Dy, float Epsilon, int Width, nint Dx);

    private static void Run<TFormat>(in Job job, int from, int to) where TFormat : IRowFormat
    {
        for (var row = from; row < to; row++)
        {
            var offset = (nint)row * job.Width * TFormat.Bytes;
            var (squares, products) = Sums<TFormat>(job.X + offset, job.Weight, job.Offset, job.Dy + offset, job.Width);
            var r = 1 / MathF.Sqrt(squares / job.Width + job.Epsilon);
            Combine<TFormat>(job, offset, r, -r * r * r * (products / job.Width));
        }
    }

    /// <summary>Σ x² and Σ (w + offset) · dy · x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float Squares, float Products) Sums<TFormat>(nint x, nint weight, float offset, nint dy, int width) where TFormat : IRowFormat
    {
        Vector<float> s = default, t = default, p = default, q = default, offsets = new(offset);
        var i = 0;
        for (; i <= width - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(x, i, out var a, out var b);
            TFormat.Load(weight, i, out var v, out var w);
            TFormat.Load(dy, i, out var f, out var g);
            s += a * a;
            t += b * b;
            p += (v + offsets) * f * a;
            q += (w + offsets) * g * b;
        }
        float squares = Vector.Sum(s + t), products = Vector.Sum(p + q);
        for (; i < width; i++)
        {
            var a = TFormat.Load(x, i);
            squares += a * a;
            products += (TFormat.Load(weight, i) + offset) * TFormat.Load(dy, i) * a;
        }
        return (squares, products);
    }

    /// <summary>dx = (w + offset) · dy · r + x · along.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Combine<TFormat>(in Job job, nint offset, float r, float along) where TFormat : IRowFormat
    {
        nint x = job.X + offset, dy = job.Dy + offset, dx = job.Dx + offset;
        Vector<float> rs = new(r), alongs = new(along), offsets = new(job.Offset);
        var i = 0;
        for (; i <= job.Width - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(x, i, out var a, out var b);
            TFormat.Load(job.Weight, i, out var v, out var w);
            TFormat.Load(dy, i, out var f, out var g);
            TFormat.Store((v + offsets) * f * rs + a * alongs, (w + offsets) * g * rs + b * alongs, dx, i);
        }
        for (; i < job.Width; i++)
            TFormat.Store((TFormat.Load(job.Weight, i) + job.Offset) * TFormat.Load(dy, i) * r + TFormat.Load(x, i) * along, dx, i);
    }
}
