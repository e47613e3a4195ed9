using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels.Rows;

/// <summary>
/// Rotary position embedding (RoFormer, arXiv 2104.09864) of rows: the pairs (x_i, x_{i+n/2}) of every head's first n numbers turned by their
/// angles, as Hugging Face lays pairs out; the others stay. Products and their sums are rounded to the format one by one.
/// </summary>
public static unsafe class RotaryRows
{
    private const int NumbersOfRange = 1 << 13;

    /// <summary>Turns all heads of every token.</summary>
    /// <param name="x">[tokens, heads, headSize].</param>
    /// <param name="cosine">[tokens, turned / 2].</param>
    /// <param name="sine">[tokens, turned / 2].</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="tokens">How many tokens.</param>
    /// <param name="heads">Heads of a token.</param>
    /// <param name="headSize">hd.</param>
    /// <param name="turned">n, even: how many numbers of a head are turned.</param>
    /// <param name="y">Like <paramref name="x"/>, written; may be <paramref name="x"/>.</param>
    /// <param name="inverse">Whether to turn backwards, which is also the gradient of turning.</param>
    public static void Apply(
        nint x, nint cosine, nint sine, FloatFormat format, int tokens, int heads, int headSize, int turned, nint y, bool inverse = false)
    {
        var job = new Job(x, cosine, sine, heads, headSize, turned, y, inverse ? -1 : 1);
        var grain = Math.Max(1, NumbersOfRange / (heads * headSize));
        if (tokens <= grain) Run(job, format, 0, tokens);
        else KernelThreads.For(tokens, grain, (from, to) => Run(job, format, from, to));
    }

    private readonly record struct Job(nint X, nint Cosine, nint Sine, int Heads, int HeadSize, int Turned, nint Y, float Sign);

    private static void Run(in Job job, FloatFormat format, int from, int to)
    {
        if (format == FloatFormat.Single) Run<SingleRow>(job, from, to);
        else Run<BFloat16Row>(job, from, to);
    }

    private static void Run<TFormat>(in Job job, int from, int to) where TFormat : IRowFormat
    {
        var half = job.Turned / 2;
        var (kept, bytes) = (job.Turned * TFormat.Bytes, (job.HeadSize - job.Turned) * TFormat.Bytes);
        for (var token = from; token < to; token++)
        {
            var table = (nint)token * half * TFormat.Bytes;
            for (var head = 0; head < job.Heads; head++)
            {
                var at = ((nint)token * job.Heads + head) * job.HeadSize * TFormat.Bytes;
                Turn<TFormat>(job.X + at, job.Cosine + table, job.Sine + table, job.Sign, half, job.Y + at);
                if (bytes > 0 && job.X != job.Y) Buffer.MemoryCopy((void*)(job.X + at + kept), (void*)(job.Y + at + kept), bytes, bytes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn<TFormat>(nint x, nint cosine, nint sine, float sign, int half, nint y) where TFormat : IRowFormat
    {
        nint second = x + half * TFormat.Bytes, ySecond = y + half * TFormat.Bytes;
        var signs = new Vector<float>(sign);
        var i = 0;
        for (; i <= half - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(x, i, out var a0, out var a1);
            TFormat.Load(second, i, out var b0, out var b1);
            TFormat.Load(cosine, i, out var c0, out var c1);
            TFormat.Load(sine, i, out var s0, out var s1);
            (s0, s1) = (s0 * signs, s1 * signs);
            TFormat.Store(
                TFormat.Round(a0 * c0) - TFormat.Round(b0 * s0), TFormat.Round(a1 * c1) - TFormat.Round(b1 * s1), y, i);
            TFormat.Store(
                TFormat.Round(b0 * c0) + TFormat.Round(a0 * s0), TFormat.Round(b1 * c1) + TFormat.Round(a1 * s1), ySecond, i);
        }
        for (; i < half; i++)
        {
            float a = TFormat.Load(x, i), b = TFormat.Load(second, i), c = TFormat.Load(cosine, i), s = sign * TFormat.Load(sine, i);
            TFormat.Store(TFormat.Round(a * c) - TFormat.Round(b * s), y, i);
            TFormat.Store(TFormat.Round(b * c) + TFormat.Round(a * s), ySecond, i);
        }
    }
}
