using Meft.Kernels;

namespace Meft.Host;

/// <summary>
/// Normally distributed numbers as a pure function of (seed, stream, index), so that filling is parallel and its bits do not depend on
/// the number of threads: SplitMix64 (Steele et al., 2014) on the counter, then Box–Muller.
/// </summary>
internal static unsafe class SeededNormal
{
    /// <summary>Fills a matrix with N(0, deviation²).</summary>
    /// <param name="matrix">What to fill.</param>
    /// <param name="deviation">Standard deviation.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Which of the seed's independent sequences.</param>
    public static void Fill(HostMatrix matrix, float deviation, ulong seed, ulong stream)
    {
        var key = Mix(Mix(seed + 0x9e3779b97f4a7c15) ^ stream);
        var dimension = matrix.Dimension;
        KernelThreads.For(matrix.Rows, grain: 64, (from, to) =>
        {
            for (var row = from; row < to; row++)
            {
                var values = matrix.Data + (long)row * dimension;
                for (var d = 0; d < dimension; d += 2)
                {
                    var (first, second) = Pair(key, (ulong)row * (ulong)dimension + (ulong)d);
                    values[d] = deviation * first;
                    if (d + 1 < dimension) values[d + 1] = deviation * second;
                }
            }
        });
    }

    private static (float First, float Second) Pair(ulong key, ulong index)
    {
        var bits = Mix(key + index * 0x9e3779b97f4a7c15);
        var u = ((uint)(bits >> 32) + 1.0) / 4294967296.0; // (0, 1]
        var angle = 2 * Math.PI * ((uint)bits / 4294967296.0);
        var radius = Math.Sqrt(-2 * Math.Log(u));
        var (sin, cos) = Math.SinCos(angle);
        return ((float)(radius * cos), (float)(radius * sin));
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
