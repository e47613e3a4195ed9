using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>
/// The candidate scores of a few tokens, <c>K_j · x</c> for the rows j of each token's probed experts, read expert by expert as the token
/// names them, without an index. The same bits as <see cref="GroupedScores"/>.
/// </summary>
public static unsafe class ExpertScores
{
    /// <summary>scores[(t·P + p)·E + j] = x[t] · rows[experts[t·P + p]·E + j].</summary>
    /// <param name="x">[tokens, D].</param>
    /// <param name="tokens">How many tokens.</param>
    /// <param name="rows">[N·E, D]; expert e owns the rows e·E … e·E+E−1.</param>
    /// <param name="experts">[tokens, P].</param>
    /// <param name="probe">P.</param>
    /// <param name="rowsPerExpert">E.</param>
    /// <param name="dimension">D.</param>
    /// <param name="scores">[tokens, P, E], written.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Compute(
        float* x, int tokens, float* rows, int* experts, int probe, int rowsPerExpert, int dimension, float* scores, SimdWidth? width = null)
    {
        var work = new Work(x, rows, experts, probe, rowsPerExpert, dimension, scores, width ?? SimdSupport.Widest);
        // Parts of experts, so that few large ones are shared out evenly.
        KernelThreads.For(tokens * probe * work.Parts, grain: 1, ref work);
    }

    private readonly struct Work(
        float* x, float* rows, int* experts, int probe, int rowsPerExpert, int dimension, float* scores, SimdWidth width) : IRangeWork
    {
        private const int RowsOfPart = 32;

        public int Parts => (rowsPerExpert + RowsOfPart - 1) / RowsOfPart;

        public void Run(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                var (slot, part) = Math.DivRem(i, Parts);
                int first = part * RowsOfPart, end = Math.Min(rowsPerExpert, first + RowsOfPart);
                switch (width)
                {
                    case SimdWidth.Bits512: Run<Simd512>(slot, first, end); break;
                    case SimdWidth.Bits256: Run<Simd256>(slot, first, end); break;
                    case SimdWidth.Bits128: Run<Simd128>(slot, first, end); break;
                    default: Run<SimdScalar>(slot, first, end); break;
                }
            }
        }

        private void Run<TSimd>(int slot, int first, int end) where TSimd : unmanaged, ISimd<TSimd>
        {
            float** block = stackalloc float*[DotBlock.Size];
            var results = stackalloc float[DotBlock.Size];
            var vector = x + (long)(slot / probe) * dimension;
            var start = rows + (long)experts[slot] * rowsPerExpert * dimension;
            for (var j = first; j < end; j += DotBlock.Size)
            {
                for (var b = 0; b < DotBlock.Size; b++) block[b] = start + (long)Math.Min(j + b, end - 1) * dimension;
                DotBlock.Compute<TSimd>(&vector, 1, block, dimension, results);
                for (var b = 0; b < DotBlock.Size && j + b < end; b++) scores[(long)slot * rowsPerExpert + j + b] = results[b];
            }
        }
    }
}
