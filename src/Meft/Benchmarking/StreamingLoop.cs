using System.Numerics;
using Meft.Kernels;

namespace Meft.Benchmarking;

/// <summary>The plainest loops that move as much memory as a kernel does: what the kernel is judged against.</summary>
internal static unsafe class StreamingLoop
{
    private const int FloatsOfRange = 1 << 15;

    /// <summary>The streams of AdamW with hardly any arithmetic: reads p, m, v and g, writes p, m and v.</summary>
    public static void FourReadsThreeWrites(float* p, float* m, float* v, float* g, long count) =>
        Over(count, (from, end) => Add(p + from, m + from, v + from, g + from, end - from));

    /// <summary>The same over chosen rows of p, m and v [any, D] and the rows 0 … count−1 of g.</summary>
    public static void FourReadsThreeWrites(float* p, float* m, float* v, float* g, int* rows, int count, int dimension) =>
        KernelThreads.For(count, grain: 32, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                var at = (long)rows[i] * dimension;
                Add(p + at, m + at, v + at, g + (long)i * dimension, dimension);
            }
        });

    /// <summary>to = from, by the system's own copy.</summary>
    public static void Copy(float* source, float* to, long count) => Over(count, (from, end) =>
        Buffer.MemoryCopy(source + from, to + from, (end - from) * sizeof(float), (end - from) * sizeof(float)));

    private static void Over(long count, Action<long, long> body) =>
        KernelThreads.For((int)((count + FloatsOfRange - 1) / FloatsOfRange), 1, (from, to) =>
            body((long)from * FloatsOfRange, Math.Min(count, (long)to * FloatsOfRange)));

    private static void Add(float* p, float* m, float* v, float* g, long count)
    {
        long i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var x = Vector.Load(g + i);
            (Vector.Load(p + i) + x).Store(p + i);
            (Vector.Load(m + i) + x).Store(m + i);
            (Vector.Load(v + i) + x).Store(v + i);
        }
        for (; i < count; i++)
        {
            p[i] += g[i];
            m[i] += g[i];
            v[i] += g[i];
        }
    }
}
