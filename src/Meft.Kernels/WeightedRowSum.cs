using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>
/// Weighted sums of gathered rows: output values from active neurons, input gradients from active keys, and row gradients over the
/// transposed index (a row's tokens) are all this one form. A sum runs over its list in order, so its bits depend on the list alone.
/// </summary>
public static unsafe class WeightedRowSum
{

    /// <summary>
    /// results[i] (+)= Σ over m in starts[i] … starts[i+1]−1 of weights[m] · source[indices[m]], for every i.
    /// </summary>
    /// <param name="source">Rows, [any, D].</param>
    /// <param name="starts">[count + 1]: where each sum's members begin.</param>
    /// <param name="indices">The row of each member; null: a sum's members are the rows 0, 1, 2 … in order.</param>
    /// <param name="weights">The weight of each member.</param>
    /// <param name="count">How many sums.</param>
    /// <param name="dimension">D.</param>
    /// <param name="results">[count, D], or where <paramref name="places"/> says.</param>
    /// <param name="places">Row of <paramref name="results"/> for each sum; null: i itself.</param>
    /// <param name="accumulate">Whether to add to what <paramref name="results"/> holds, or to overwrite it.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Compute(
        float* source, int* starts, int* indices, float* weights, int count, int dimension, float* results, int* places = null,
        bool accumulate = false, SimdWidth? width = null)
    {
        var job = new Job(source, starts, indices, weights, dimension, results, places, accumulate);
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: Run<Simd512>(job, count); break;
            case SimdWidth.Bits256: Run<Simd256>(job, count); break;
            case SimdWidth.Bits128: Run<Simd128>(job, count); break;
            default: Run<SimdScalar>(job, count); break;
        }
    }

    private readonly struct Job(
        float* source, int* starts, int* indices, float* weights, int dimension, float* results, int* places, bool accumulate)
    {
        public readonly float* Source = source, Weights = weights, Results = results;
        public readonly int* Starts = starts, Indices = indices, Places = places;
        public readonly int Dimension = dimension;
        public readonly bool Accumulate = accumulate;
    }

    /// <summary>The members of one sum.</summary>
    private readonly struct Members(float* source, int* indices, float* weights, int count, int dimension)
    {
        public readonly float* Weights = weights;
        public readonly int Count = count;

        public float* Row(int member) => source + (long)(indices is null ? member : indices[member]) * dimension;
    }

    // All sums of a strip of columns before the next strip: rows that several sums have are found in the caches, of which whole rows would not leave room.
    private static void Run<TSimd>(Job job, int count) where TSimd : unmanaged, ISimd<TSimd>
    {
        var strip = 12 * TSimd.Lanes;
        var strips = (job.Dimension + strip - 1) / strip;
        KernelThreads.For(checked(count * strips), grain: 64, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                var first = i / count * strip;
                RunOne<TSimd>(job, i % count, first, Math.Min(first + strip, job.Dimension));
            }
        });
    }

    private static void RunOne<TSimd>(in Job job, int i, int d, int end) where TSimd : unmanaged, ISimd<TSimd>
    {
        int first = job.Starts[i], count = job.Starts[i + 1] - first;
        var members = new Members(job.Source, job.Indices is null ? null : job.Indices + first, job.Weights + first, count, job.Dimension);
        var to = job.Results + (long)(job.Places is null ? i : job.Places[i]) * job.Dimension;
        // As many columns at once as there are registers for, so that the members are gone through few times.
        for (; d <= end - 12 * TSimd.Lanes; d += 12 * TSimd.Lanes) Twelve<TSimd>(members, d, to, job.Accumulate);
        for (; d <= end - 4 * TSimd.Lanes; d += 4 * TSimd.Lanes) Four<TSimd>(members, d, to, job.Accumulate);
        for (; d <= end - TSimd.Lanes; d += TSimd.Lanes) One<TSimd>(members, d, to, job.Accumulate);
        for (; d < end; d++) One<SimdScalar>(members, d, to, job.Accumulate);
    }

    private static void Twelve<TSimd>(in Members members, int d, float* to, bool accumulate) where TSimd : unmanaged, ISimd<TSimd>
    {
        var w = TSimd.Lanes;
        TSimd s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero, s4 = TSimd.Zero, s5 = TSimd.Zero;
        TSimd s6 = TSimd.Zero, s7 = TSimd.Zero, s8 = TSimd.Zero, s9 = TSimd.Zero, s10 = TSimd.Zero, s11 = TSimd.Zero;
        for (var m = 0; m < members.Count; m++)
        {
            var row = members.Row(m) + d;
            var weight = TSimd.Broadcast(members.Weights[m]);
            s0 = TSimd.MultiplyAdd(weight, TSimd.Load(row), s0);
            s1 = TSimd.MultiplyAdd(weight, TSimd.Load(row + w), s1);
            s2 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 2 * w), s2);
            s3 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 3 * w), s3);
            s4 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 4 * w), s4);
            s5 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 5 * w), s5);
            s6 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 6 * w), s6);
            s7 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 7 * w), s7);
            s8 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 8 * w), s8);
            s9 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 9 * w), s9);
            s10 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 10 * w), s10);
            s11 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 11 * w), s11);
        }
        to += d;
        Put(accumulate, s0, to);
        Put(accumulate, s1, to + w);
        Put(accumulate, s2, to + 2 * w);
        Put(accumulate, s3, to + 3 * w);
        Put(accumulate, s4, to + 4 * w);
        Put(accumulate, s5, to + 5 * w);
        Put(accumulate, s6, to + 6 * w);
        Put(accumulate, s7, to + 7 * w);
        Put(accumulate, s8, to + 8 * w);
        Put(accumulate, s9, to + 9 * w);
        Put(accumulate, s10, to + 10 * w);
        Put(accumulate, s11, to + 11 * w);
    }

    private static void Four<TSimd>(in Members members, int d, float* to, bool accumulate) where TSimd : unmanaged, ISimd<TSimd>
    {
        var w = TSimd.Lanes;
        TSimd s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
        for (var m = 0; m < members.Count; m++)
        {
            var row = members.Row(m) + d;
            var weight = TSimd.Broadcast(members.Weights[m]);
            s0 = TSimd.MultiplyAdd(weight, TSimd.Load(row), s0);
            s1 = TSimd.MultiplyAdd(weight, TSimd.Load(row + w), s1);
            s2 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 2 * w), s2);
            s3 = TSimd.MultiplyAdd(weight, TSimd.Load(row + 3 * w), s3);
        }
        to += d;
        Put(accumulate, s0, to);
        Put(accumulate, s1, to + w);
        Put(accumulate, s2, to + 2 * w);
        Put(accumulate, s3, to + 3 * w);
    }

    private static void One<TSimd>(in Members members, int d, float* to, bool accumulate) where TSimd : unmanaged, ISimd<TSimd>
    {
        var sum = TSimd.Zero;
        for (var m = 0; m < members.Count; m++)
        {
            var row = members.Row(m) + d;
            sum = TSimd.MultiplyAdd(TSimd.Broadcast(members.Weights[m]), TSimd.Load(row), sum);
        }
        Put(accumulate, sum, to + d);
    }

    private static void Put<TSimd>(bool accumulate, TSimd sum, float* to) where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Store(accumulate ? TSimd.Add(TSimd.Load(to), sum) : sum, to);
}
