using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;
using Meft.Kernels.Rows;

namespace Meft.Kernels.Loss;

/// <summary>
/// Cross-entropy of rows of logits against one class each: −log p(target) with p = softmax(row), and its gradient p − 1{target} in the
/// logits' place. bfloat16 rows are computed with in float32, float32 rows in float64: where p is near 1, p − 1 would lose most of its
/// digits in the rows' own type.
/// </summary>
public static unsafe class CrossEntropyRows
{
    /// <summary>Numbers that are summed in the narrower type before they join a sum in float64.</summary>
    private const int Block = 1024;

    private const int NumbersOfRange = 1 << 17;

    /// <summary>Computes the loss of every row, and puts its gradient where the row was.</summary>
    /// <param name="logits">[rows, classes]; overwritten where a gradient is wanted.</param>
    /// <param name="format">The format of the logits and of the gradient.</param>
    /// <param name="targets">[rows], each in [0, classes).</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="classes">Numbers a row, at least 1.</param>
    /// <param name="gradientScale">What the gradient is multiplied by; null where none is wanted.</param>
    /// <exception cref="ArgumentOutOfRangeException">A target is none of the classes.</exception>
    /// <param name="losses">[rows], written: nats; NaN where a row holds NaN or +∞ or only −∞.</param>
    public static void Apply(
        nint logits, FloatFormat format, long* targets, int rows, int classes, double? gradientScale, double* losses)
    {
        KernelThreads.For(rows, Math.Max(1, NumbersOfRange / classes), (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                if ((ulong)targets[row] >= (ulong)classes) throw new ArgumentOutOfRangeException(nameof(targets), targets[row], $"of row {row}: it should lie in [0, {classes})");
                var x = FloatRows.At(logits, (long)row * classes, format);
                losses[row] = format == FloatFormat.Single
                    ? WideRow((float*)x, classes, (int)targets[row], gradientScale)
                    : NarrowRow(x, classes, (int)targets[row], gradientScale);
            }
        });
    }

    /// <summary>A row of bfloat16, in float32.</summary>
    private static double NarrowRow(nint x, int classes, int target, double? scale)
    {
        var largest = LargestNarrow(x, classes);
        var sum = SumNarrow(x, classes, largest);
        double wanted = BFloat16Row.Load(x, target);
        if (scale is { } factor)
        {
            ExponentiateNarrow(x, classes, largest, (float)(factor / sum));
            BFloat16Row.Store((float)((Math.Exp(wanted - largest) - sum) / sum * factor), x, target);
        }
        return Math.Log(sum) + (largest - wanted);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float LargestNarrow(nint x, int classes)
    {
        Vector<float> m = new(float.NegativeInfinity), n = m;
        var i = 0;
        for (; i <= classes - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            BFloat16Row.Load(x, i, out var a, out var b);
            m = Vector.Max(m, a);
            n = Vector.Max(n, b);
        }
        m = Vector.Max(m, n);
        var largest = m[0];
        for (var lane = 1; lane < Vector<float>.Count; lane++) largest = MathF.Max(largest, m[lane]);
        for (; i < classes; i++) largest = MathF.Max(largest, BFloat16Row.Load(x, i));
        return largest;
    }

    /// <summary>Σ exp(x − largest).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumNarrow(nint x, int classes, float largest)
    {
        var shift = new Vector<float>(largest);
        double sum = 0;
        var i = 0;
        while (i <= classes - 2 * Vector<float>.Count)
        {
            var end = Math.Min(classes - 2 * Vector<float>.Count, i + Block - 1);
            Vector<float> s = default, t = default;
            for (; i <= end; i += 2 * Vector<float>.Count)
            {
                BFloat16Row.Load(x, i, out var a, out var b);
                s += Vector.Exp(a - shift);
                t += Vector.Exp(b - shift);
            }
            sum += Vector.Sum(s + t);
        }
        for (; i < classes; i++) sum += MathF.Exp(BFloat16Row.Load(x, i) - largest);
        return sum;
    }

    /// <summary>x ← exp(x − largest) · factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ExponentiateNarrow(nint x, int classes, float largest, float factor)
    {
        Vector<float> shift = new(largest), factors = new(factor);
        var i = 0;
        for (; i <= classes - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            BFloat16Row.Load(x, i, out var a, out var b);
            BFloat16Row.Store(Vector.Exp(a - shift) * factors, Vector.Exp(b - shift) * factors, x, i);
        }
        for (; i < classes; i++) BFloat16Row.Store(MathF.Exp(BFloat16Row.Load(x, i) - largest) * factor, x, i);
    }

    /// <summary>A row of float32, in float64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double WideRow(float* x, int classes, int target, double? scale)
    {
        var largest = x[0];
        for (var i = 1; i < classes; i++) largest = MathF.Max(largest, x[i]);
        var shift = new Vector<double>(largest);
        var sums = Vector<double>.Zero;
        var at = 0;
        for (; at <= classes - Vector<float>.Count; at += Vector<float>.Count)
        {
            Vector.Widen(Vector.Load(x + at), out var low, out var high);
            sums += Vector.Exp(low - shift) + Vector.Exp(high - shift);
        }
        var sum = Vector.Sum(sums);
        for (; at < classes; at++) sum += Math.Exp((double)x[at] - largest);
        double wanted = x[target];
        if (scale is { } factor)
        {
            var factors = new Vector<double>(factor / sum);
            for (at = 0; at <= classes - Vector<float>.Count; at += Vector<float>.Count)
            {
                Vector.Widen(Vector.Load(x + at), out var low, out var high);
                Vector.Narrow(Vector.Exp(low - shift) * factors, Vector.Exp(high - shift) * factors).Store(x + at);
            }
            for (; at < classes; at++) x[at] = (float)(Math.Exp((double)x[at] - largest) * (factor / sum));
            x[target] = (float)((Math.Exp(wanted - largest) - sum) / sum * factor);
        }
        return Math.Log(sum) + (largest - wanted);
    }
}
