using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>Dot products of each vector with its own list of gathered rows (method: <c>ds_j = dy_t · V_j</c>).</summary>
public static unsafe class MemberDots
{
    /// <summary>results[m] = x[i] · rows[indices[m]] for every m in starts[i] … starts[i+1]−1 and every i.</summary>
    /// <param name="x">[count, D].</param>
    /// <param name="rows">[any, D].</param>
    /// <param name="starts">[count + 1]: where each vector's members begin.</param>
    /// <param name="indices">The row of each member.</param>
    /// <param name="count">How many vectors.</param>
    /// <param name="dimension">D.</param>
    /// <param name="results">One number a member.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Compute(
        float* x, float* rows, int* starts, int* indices, int count, int dimension, float* results, SimdWidth? width = null)
    {
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: Run<Simd512>(x, rows, starts, indices, count, dimension, results); break;
            case SimdWidth.Bits256: Run<Simd256>(x, rows, starts, indices, count, dimension, results); break;
            case SimdWidth.Bits128: Run<Simd128>(x, rows, starts, indices, count, dimension, results); break;
            default: Run<SimdScalar>(x, rows, starts, indices, count, dimension, results); break;
        }
    }

    private static void Run<TSimd>(float* x, float* rows, int* starts, int* indices, int count, int dimension, float* results)
        where TSimd : unmanaged, ISimd<TSimd> =>
        KernelThreads.For(count, grain: 8, (from, to) =>
        {
            const int block = DotBlock.Size;
            float** gathered = stackalloc float*[block];
            var dots = stackalloc float[block];
            for (var i = from; i < to; i++)
            {
                var vector = x + (long)i * dimension;
                for (int m = starts[i], end = starts[i + 1]; m < end; m += block)
                {
                    var members = Math.Min(block, end - m);
                    for (var b = 0; b < block; b++) gathered[b] = rows + (long)indices[m + Math.Min(b, members - 1)] * dimension;
                    DotBlock.Compute<TSimd>(&vector, 1, gathered, dimension, dots);
                    for (var b = 0; b < members; b++) results[m + b] = dots[b];
                }
            }
        });
}
