using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>Copies chosen rows of a float32 matrix, one behind the other, into a buffer of either format (method: the rows that travel).</summary>
public static unsafe class RowGather
{
    /// <summary>to[i] = source[rows[i]] for every i, rounded to nearest even where the format is narrower; a NaN stays one.</summary>
    /// <param name="source">[any, D].</param>
    /// <param name="rows">[count]: the row for each place, in any order, repeats allowed; null: i itself.</param>
    /// <param name="count">How many rows to copy.</param>
    /// <param name="dimension">D.</param>
    /// <param name="to">[count, D], written.</param>
    /// <param name="format">What <paramref name="to"/> holds.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Compute(
        float* source, int* rows, int count, int dimension, void* to, FloatFormat format, SimdWidth? width = null)
    {
        if (format == FloatFormat.Single)
        {
            Copy(source, rows, count, dimension, (float*)to);
            return;
        }
        var halves = (ushort*)to;
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: Round<Simd512>(source, rows, count, dimension, halves); break;
            case SimdWidth.Bits256: Round<Simd256>(source, rows, count, dimension, halves); break;
            case SimdWidth.Bits128: Round<Simd128>(source, rows, count, dimension, halves); break;
            default: Round<SimdScalar>(source, rows, count, dimension, halves); break;
        }
    }

    private static void Copy(float* source, int* rows, int count, int dimension, float* to) =>
        KernelThreads.For(count, RowCopies.Grain(dimension), (from, end) =>
        {
            var bytes = (long)dimension * sizeof(float);
            for (var i = from; i < end; i++)
                Buffer.MemoryCopy(RowCopies.At(source, rows, i, dimension), to + (long)i * dimension, bytes, bytes);
        });

    private static void Round<TSimd>(float* source, int* rows, int count, int dimension, ushort* to) where TSimd : unmanaged, ISimd<TSimd> =>
        KernelThreads.For(count, RowCopies.Grain(dimension), (from, end) =>
        {
            for (var i = from; i < end; i++)
            {
                var row = RowCopies.At(source, rows, i, dimension);
                var place = to + (long)i * dimension;
                var d = 0;
                for (; d <= dimension - TSimd.Lanes; d += TSimd.Lanes) TSimd.StoreBFloat16(TSimd.Load(row + d), place + d);
                for (; d < dimension; d++) SimdScalar.StoreBFloat16(SimdScalar.Load(row + d), place + d);
            }
        });
}
