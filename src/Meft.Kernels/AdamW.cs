using System.Runtime.Intrinsics.X86;
using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>The numbers of one AdamW step that are the same for every row.</summary>
/// <param name="LearningRate">The rate of this step.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="WeightDecay">Decoupled: the weight shrinks by LearningRate·WeightDecay of itself first.</param>
/// <param name="Step">The global step, 1 for the first; bias correction uses it.</param>
/// <param name="GradientScale">Every gradient is multiplied by it: the clipping coefficient over what gradients were multiplied by before.</param>
public readonly record struct AdamWStep(
    double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, long Step, double GradientScale);

/// <summary>
/// AdamW (Loshchilov and Hutter, 2019) over rows of float32 in host memory, in one pass: 28 bytes read and written a float.
/// Arithmetic as <c>torch.optim.AdamW</c>: p −= lr·wd·p; m += (g−m)(1−β₁); v = β₂v + (1−β₂)g²; p −= lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε).
/// </summary>
public static unsafe class AdamW
{
    /// <summary>How many floats ahead of the arithmetic scattered rows are brought into the cache.</summary>
    private const int Ahead = 256;

    /// <summary>Updates rows of a matrix in place.</summary>
    /// <param name="parameters">[R, D].</param>
    /// <param name="firstMoments">[R, D].</param>
    /// <param name="secondMoments">[R, D].</param>
    /// <param name="gradients">[slots, D].</param>
    /// <param name="rows">The rows to update, each at most once; null: the rows 0 … count−1.</param>
    /// <param name="slots">For each updated row its row of <paramref name="gradients"/>, negative where the gradient is zero; null: i itself.</param>
    /// <param name="count">How many rows to update.</param>
    /// <param name="dimension">D.</param>
    /// <param name="step">The step's numbers.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Update(
        float* parameters, float* firstMoments, float* secondMoments, float* gradients, int* rows, int* slots, int count, int dimension,
        in AdamWStep step, SimdWidth? width = null)
    {
        var job = new Job(parameters, firstMoments, secondMoments, gradients, rows, slots, dimension, step);
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: Run<Simd512>(job, count); break;
            case SimdWidth.Bits256: Run<Simd256>(job, count); break;
            case SimdWidth.Bits128: Run<Simd128>(job, count); break;
            default: Run<SimdScalar>(job, count); break;
        }
    }

    private readonly struct Job
    {
        public readonly float* Parameters, FirstMoments, SecondMoments, Gradients;
        public readonly int* Rows, Slots;
        public readonly int Dimension;
        public readonly float Shrink, OneMinusBeta1, Beta2, OneMinusBeta2, NegativeStepSize, InverseRootCorrection2, Epsilon, Scale;

        public Job(float* p, float* m, float* v, float* g, int* rows, int* slots, int dimension, in AdamWStep step)
        {
            Parameters = p;
            FirstMoments = m;
            SecondMoments = v;
            Gradients = g;
            Rows = rows;
            Slots = slots;
            Dimension = dimension;
            Shrink = (float)(1 - step.LearningRate * step.WeightDecay);
            OneMinusBeta1 = (float)(1 - step.Beta1);
            Beta2 = (float)step.Beta2;
            OneMinusBeta2 = (float)(1 - step.Beta2);
            NegativeStepSize = (float)(-step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step)));
            InverseRootCorrection2 = (float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step)));
            Epsilon = (float)step.Epsilon;
            Scale = (float)step.GradientScale;
        }

        /// <summary>Where the i-th updated row begins.</summary>
        public long At(int i) => (long)(Rows is null ? i : Rows[i]) * Dimension;
    }

    private static void Run<TSimd>(Job job, int count) where TSimd : unmanaged, ISimd<TSimd> =>
        KernelThreads.For(count, grain: 32, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                var at = job.At(i);
                // Rows that lie scattered end the hardware's own reading ahead at every row: the next one is asked for by hand.
                var next = job.Rows is null || i + 1 == to || job.Dimension < Ahead ? -1 : job.At(i + 1);
                var slot = job.Slots is null ? i : job.Slots[i];
                var gradient = slot < 0 ? null : job.Gradients + (long)slot * job.Dimension;
                var done = Row<TSimd>(job, at, next, gradient, 0);
                Row<SimdScalar>(job, at, -1, gradient, done);
            }
        });

    /// <summary>
    /// One row from lane <paramref name="from"/> on, as far as whole registers reach; returns where it stopped. What follows, in
    /// the end the row at <paramref name="next"/>, is brought into the cache meanwhile, unless that is negative.
    /// </summary>
    private static int Row<TSimd>(in Job job, long at, long next, float* gradient, int from) where TSimd : unmanaged, ISimd<TSimd>
    {
        float* p = job.Parameters + at, m = job.FirstMoments + at, v = job.SecondMoments + at;
        TSimd shrink = TSimd.Broadcast(job.Shrink), scale = TSimd.Broadcast(job.Scale), epsilon = TSimd.Broadcast(job.Epsilon);
        TSimd oneMinusBeta1 = TSimd.Broadcast(job.OneMinusBeta1), minus = TSimd.Broadcast(-1f);
        TSimd beta2 = TSimd.Broadcast(job.Beta2), oneMinusBeta2 = TSimd.Broadcast(job.OneMinusBeta2);
        TSimd step = TSimd.Broadcast(job.NegativeStepSize), correction = TSimd.Broadcast(job.InverseRootCorrection2);
        var d = from;
        for (; d <= job.Dimension - TSimd.Lanes; d += TSimd.Lanes)
        {
            if (Sse.IsSupported && next >= 0)
            {
                var where = d + Ahead < job.Dimension ? at + d + Ahead : next + d + Ahead - job.Dimension;
                Sse.Prefetch0(job.Parameters + where);
                Sse.Prefetch0(job.FirstMoments + where);
                Sse.Prefetch0(job.SecondMoments + where);
            }
            var g = gradient is null ? TSimd.Zero : TSimd.Multiply(TSimd.Load(gradient + d), scale);
            var first = TSimd.Load(m + d);
            first = TSimd.MultiplyAdd(TSimd.MultiplyAdd(first, minus, g), oneMinusBeta1, first);
            var second = TSimd.Multiply(TSimd.Load(v + d), beta2);
            second = TSimd.MultiplyAdd(TSimd.Multiply(g, g), oneMinusBeta2, second);
            TSimd.Store(first, m + d);
            TSimd.Store(second, v + d);
            var denominator = TSimd.MultiplyAdd(TSimd.SquareRoot(second), correction, epsilon);
            var weight = TSimd.Multiply(TSimd.Load(p + d), shrink);
            TSimd.Store(TSimd.MultiplyAdd(TSimd.Divide(first, denominator), step, weight), p + d);
        }
        return d;
    }
}
