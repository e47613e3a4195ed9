using Meft.Host;
using static TorchSharp.torch;

namespace Meft.Benchmarking;

/// <summary>What this machine can do at best, measured with what others wrote: the numbers that kernels are held against.</summary>
/// <param name="MatmulSingleGflops">libtorch's product of float32 matrices, 10⁹ floating-point operations a second.</param>
/// <param name="MatmulBFloat16Gflops">The same of bfloat16 matrices.</param>
/// <param name="CopyGigabytes">Memory read and written by copying, 10⁹ bytes a second.</param>
/// <param name="StreamGigabytes">Memory read and written by a plain loop with AdamW's streams, 10⁹ bytes a second.</param>
public sealed record Roofs(double MatmulSingleGflops, double MatmulBFloat16Gflops, double CopyGigabytes, double StreamGigabytes)
{
    /// <summary>Measures.</summary>
    /// <param name="rounds">Warm-up and repeats.</param>
    /// <param name="matrixSize">Rows and columns of the matrices that are multiplied.</param>
    /// <param name="streamFloats">Floats of each stream: far more than the caches hold.</param>
    public static Roofs Measure(BenchmarkRounds rounds, int matrixSize = 1024, int streamFloats = 30_000_000) => new(
        Matmul(rounds, matrixSize, ScalarType.Float32), Matmul(rounds, matrixSize, ScalarType.BFloat16), Copy(rounds, streamFloats),
        Stream(rounds, streamFloats));

    private static double Matmul(BenchmarkRounds rounds, int size, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (rand(size, size).to(type), rand(size, size).to(type));
        var seconds = BenchmarkTimer.Median(rounds, () => a.matmul(b).Dispose());
        return 2.0 * size * size * size / seconds / 1e9;
    }

    private static unsafe double Copy(BenchmarkRounds rounds, int floats)
    {
        using HostMatrix from = Filled(floats), to = Filled(floats);
        var seconds = BenchmarkTimer.Median(rounds, () => StreamingLoop.Copy(from.Data, to.Data, floats));
        return 2.0 * floats * sizeof(float) / seconds / 1e9;
    }

    private static unsafe double Stream(BenchmarkRounds rounds, int floats)
    {
        using HostMatrix p = Filled(floats), m = Filled(floats), v = Filled(floats), g = Filled(floats);
        var seconds = BenchmarkTimer.Median(rounds, () => StreamingLoop.FourReadsThreeWrites(p.Data, m.Data, v.Data, g.Data, floats));
        return 7.0 * floats * sizeof(float) / seconds / 1e9;
    }

    /// <summary>Memory that is there: pages never written to are all the same one.</summary>
    private static HostMatrix Filled(int floats)
    {
        var matrix = new HostMatrix(1, floats);
        matrix.Row(0).Fill(1e-3f);
        return matrix;
    }
}
