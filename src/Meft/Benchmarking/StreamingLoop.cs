using System.Numerics;
using Meft.Kernels;

namespace Meft.Benchmarking;

/// <summary>The plainest loops that move as much memory as a kernel does: what the kernel is judged against.</summary>
internal static unsafe class StreamingLoop
{
    private const int FloatsOfRange = 1 << 15;

    /// <summary>The streams of AdamW with hardly any arithmetic: reads p, m, v and g, writes p, m and v.</summary>
    public static void FourReadsThreeWrites(float* p, float* m, float* v, float* g, long count) => Over(count, (from, end) =>
    {
        var i = from;
        for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
        {
            var x = Vector.Load(g + i);
            (Vector.Load(p + i) + x).Store(p + i);
            (Vector.Load(m + i) + x).Store(m + i);
            (Vector.Load(v + i) + x).Store(v + i);
        }
        for (; i < end; i++)
        {
            p[i] += g[i];
            m[i] += g[i];
            v[i] += g[i];
        }
    });

    /// <summary>to = from, by the system's own copy.</summary>
    public static void Copy(float* source, float* to, long count) => Over(count, (from, end) =>
        Buffer.MemoryCopy(source + from, to + from, (end - from) * sizeof(float), (end - from) * sizeof(float)));

    private static void Over(long count, Action<long, long> body) =>
        KernelThreads.For((int)((count + FloatsOfRange - 1) / FloatsOfRange), 1, (from, to) =>
            body((long)from * FloatsOfRange, Math.Min(count, (long)to * FloatsOfRange)));
}
