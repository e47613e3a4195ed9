using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>The squared Euclidean norm of a matrix, for clipping and for finding numbers that are not finite.</summary>
public static unsafe class SquaredNorm
{
    /// <summary>Σ of squares of [count, D]: each row in float32 lanes, the rows' sums in float64 in row order.</summary>
    /// <param name="rows">[count, D].</param>
    /// <param name="count">How many rows.</param>
    /// <param name="dimension">D.</param>
    /// <param name="width">The register width; for tests.</param>
    public static double Compute(float* rows, int count, int dimension, SimdWidth? width = null)
    {
        if (count == 0) return 0;
        var sums = new double[count];
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: Run<Simd512>(rows, count, dimension, sums); break;
            case SimdWidth.Bits256: Run<Simd256>(rows, count, dimension, sums); break;
            case SimdWidth.Bits128: Run<Simd128>(rows, count, dimension, sums); break;
            default: Run<SimdScalar>(rows, count, dimension, sums); break;
        }
        double total = 0;
        foreach (var sum in sums) total += sum;
        return total;
    }

    private static void Run<TSimd>(float* rows, int count, int dimension, double[] sums) where TSimd : unmanaged, ISimd<TSimd> =>
        KernelThreads.For(count, grain: 64, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                var row = rows + (long)i * dimension;
                sums[i] = DotBlock.One<TSimd>(row, row, dimension);
            }
        });
}
