using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>Puts the rows of a buffer of either format into chosen rows of a float32 matrix: the way back of <see cref="RowGather"/>.</summary>
public static unsafe class RowScatter
{
    /// <summary>to[rows[i]] = source[i], or += it, for every i.</summary>
    /// <param name="source">[count, D].</param>
    /// <param name="format">What <paramref name="source"/> holds.</param>
    /// <param name="rows">[count]: where each row goes, each row at most once (two threads may write at a time); null: i itself.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="dimension">D.</param>
    /// <param name="to">[any, D]; only the chosen rows are written.</param>
    /// <param name="add">Whether to add to what is there, or to overwrite it.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Compute(
        void* source, FloatFormat format, int* rows, int count, int dimension, float* to, bool add = false, SimdWidth? width = null)
    {
        if (format == FloatFormat.Single && !add)
        {
            Copy((float*)source, rows, count, dimension, to);
            return;
        }
        var job = new Job(source, format, rows, dimension, to, add);
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: Run<Simd512>(job, count); break;
            case SimdWidth.Bits256: Run<Simd256>(job, count); break;
            case SimdWidth.Bits128: Run<Simd128>(job, count); break;
            default: Run<SimdScalar>(job, count); break;
        }
    }

    private readonly struct Job(void* source, FloatFormat format, int* rows, int dimension, float* to, bool add)
    {
        public readonly void* Source = source;
        public readonly FloatFormat Format = format;
        public readonly int* Rows = rows;
        public readonly int Dimension = dimension;
        public readonly float* To = to;
        public readonly bool Add = add;
    }

    private static void Copy(float* source, int* rows, int count, int dimension, float* to) =>
        KernelThreads.For(count, RowCopies.Grain(dimension), (from, end) =>
        {
            var bytes = (long)dimension * sizeof(float);
            for (var i = from; i < end; i++)
                Buffer.MemoryCopy(source + (long)i * dimension, RowCopies.At(to, rows, i, dimension), bytes, bytes);
        });

    private static void Run<TSimd>(Job job, int count) where TSimd : unmanaged, ISimd<TSimd> =>
        KernelThreads.For(count, RowCopies.Grain(job.Dimension), (from, end) =>
        {
            for (var i = from; i < end; i++)
            {
                var first = (long)i * job.Dimension;
                var place = RowCopies.At(job.To, job.Rows, i, job.Dimension);
                var done = Row<TSimd>(job, first, place, 0);
                Row<SimdScalar>(job, first, place, done);
            }
        });

    /// <summary>One row from lane <paramref name="d"/> on, as far as whole registers reach; returns where it stopped.</summary>
    private static int Row<TSimd>(in Job job, long first, float* place, int d) where TSimd : unmanaged, ISimd<TSimd>
    {
        if (job.Format == FloatFormat.Single)
        {
            var row = (float*)job.Source + first;
            for (; d <= job.Dimension - TSimd.Lanes; d += TSimd.Lanes) Put(job.Add, TSimd.Load(row + d), place + d);
            return d;
        }
        var halves = (ushort*)job.Source + first;
        for (; d <= job.Dimension - TSimd.Lanes; d += TSimd.Lanes) Put(job.Add, TSimd.LoadBFloat16(halves + d), place + d);
        return d;
    }

    private static void Put<TSimd>(bool add, TSimd value, float* place) where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Store(add ? TSimd.Add(TSimd.Load(place), value) : value, place);
}
