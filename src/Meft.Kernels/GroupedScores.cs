using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>
/// Dot products of tokens with the rows of the groups they belong to: the candidate scores of Key-Experts routing
/// (method: <c>K_j · x</c> for the rows j of a token's probed experts), and, with a single group, the router's <c>G · x</c>.
/// </summary>
public static unsafe class GroupedScores
{
    private const int Block = DotBlock.Size;

    /// <summary>scores[slots[m]·E + j] = x[tokens[m]] · rows[g·E + j] for every member m of every group g and 0 ≤ j &lt; E.</summary>
    /// <param name="x">Tokens, [T, D].</param>
    /// <param name="rows">Rows, [groups·E, D]; group g owns the rows g·E … g·E+E−1.</param>
    /// <param name="groupStarts">[groups + 1]: the members of group g are groupStarts[g] … groupStarts[g+1]−1.</param>
    /// <param name="tokens">The token of each member.</param>
    /// <param name="slots">Where each member's E scores go, in units of E.</param>
    /// <param name="rowsPerGroup">E.</param>
    /// <param name="dimension">D.</param>
    /// <param name="scores">The result; only the members' places are written.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Compute(
        float* x, float* rows, ReadOnlySpan<int> groupStarts, int* tokens, int* slots, int rowsPerGroup, int dimension, float* scores,
        SimdWidth? width = null)
    {
        fixed (int* starts = groupStarts)
        {
            var job = new Job(x, rows, starts, tokens, slots, rowsPerGroup, dimension, scores);
            var groups = groupStarts.Length - 1;
            switch (width ?? SimdSupport.Widest)
            {
                case SimdWidth.Bits512: Run<Simd512>(job, groups); break;
                case SimdWidth.Bits256: Run<Simd256>(job, groups); break;
                case SimdWidth.Bits128: Run<Simd128>(job, groups); break;
                default: Run<SimdScalar>(job, groups); break;
            }
        }
    }

    /// <summary>scores[t, n] = x[t] · rows[n]: every token with every row.</summary>
    /// <param name="x">[T, D].</param>
    /// <param name="tokenCount">T.</param>
    /// <param name="rows">[N, D].</param>
    /// <param name="rowCount">N.</param>
    /// <param name="dimension">D.</param>
    /// <param name="scores">The result, [T, N].</param>
    /// <param name="width">The register width; for tests.</param>
    public static void ComputeAll(
        float* x, int tokenCount, float* rows, int rowCount, int dimension, float* scores, SimdWidth? width = null)
    {
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: RunAll<Simd512>(x, tokenCount, rows, rowCount, dimension, scores); break;
            case SimdWidth.Bits256: RunAll<Simd256>(x, tokenCount, rows, rowCount, dimension, scores); break;
            case SimdWidth.Bits128: RunAll<Simd128>(x, tokenCount, rows, rowCount, dimension, scores); break;
            default: RunAll<SimdScalar>(x, tokenCount, rows, rowCount, dimension, scores); break;
        }
    }

    private readonly struct Job(float* x, float* rows, int* starts, int* tokens, int* slots, int rowsPerGroup, int dimension, float* scores)
    {
        public readonly float* X = x, Rows = rows, Scores = scores;
        public readonly int* Starts = starts, Tokens = tokens, Slots = slots;
        public readonly int RowsPerGroup = rowsPerGroup, Dimension = dimension;
    }

    private static void Run<TSimd>(Job job, int groups) where TSimd : unmanaged, ISimd<TSimd> =>
        KernelThreads.For(groups, grain: 4, (from, to) =>
        {
            for (var g = from; g < to; g++) RunGroup<TSimd>(job, g);
        });

    private static void RunGroup<TSimd>(in Job job, int group) where TSimd : unmanaged, ISimd<TSimd>
    {
        var e = job.RowsPerGroup;
        var groupRows = job.Rows + (long)group * e * job.Dimension;
        float** vectors = stackalloc float*[Block];
        float** rows = stackalloc float*[Block];
        var results = stackalloc float[Block * Block];
        int first = job.Starts[group], end = job.Starts[group + 1];
        for (var j = 0; j < e; j += Block)
        {
            var rowCount = Math.Min(Block, e - j);
            for (var b = 0; b < Block; b++) rows[b] = groupRows + (long)(j + Math.Min(b, rowCount - 1)) * job.Dimension;
            for (var m = first; m < end; m += Block)
            {
                var members = Math.Min(Block, end - m);
                for (var i = 0; i < members; i++) vectors[i] = job.X + (long)job.Tokens[m + i] * job.Dimension;
                DotBlock.Compute<TSimd>(vectors, members, rows, job.Dimension, results);
                for (var i = 0; i < members; i++)
                {
                    var to = job.Scores + (long)job.Slots[m + i] * e + j;
                    for (var b = 0; b < rowCount; b++) to[b] = results[i * Block + b];
                }
            }
        }
    }

    private static void RunAll<TSimd>(float* x, int tokenCount, float* rows, int rowCount, int dimension, float* scores)
        where TSimd : unmanaged, ISimd<TSimd> =>
        KernelThreads.For(tokenCount, grain: 4 * Block, (from, to) =>
        {
            float** vectors = stackalloc float*[Block];
            float** block = stackalloc float*[Block];
            var results = stackalloc float[Block * Block];
            // Rows outside, tokens inside: four rows stay in the first-level cache while the range's tokens pass.
            for (var n = 0; n < rowCount; n += Block)
            {
                var inBlock = Math.Min(Block, rowCount - n);
                for (var b = 0; b < Block; b++) block[b] = rows + (long)(n + Math.Min(b, inBlock - 1)) * dimension;
                for (var t = from; t < to; t += Block)
                {
                    var members = Math.Min(Block, to - t);
                    for (var i = 0; i < members; i++) vectors[i] = x + (long)(t + i) * dimension;
                    DotBlock.Compute<TSimd>(vectors, members, block, dimension, results);
                    for (var i = 0; i < members; i++)
                    {
                        var target = scores + (long)(t + i) * rowCount + n;
                        for (var b = 0; b < inBlock; b++) target[b] = results[i * Block + b];
                    }
                }
            }
        });
}
