using CsCheck;
using Shouldly;
using static Meft.Kernels.Tests.Reference;

namespace Meft.Kernels.Tests;

public unsafe class AdamWTests
{
    private static readonly AdamWStep Step = new(
        LearningRate: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.1, Step: 3, GradientScale: 0.5);

    [Fact]
    public void Touched_rows_move_as_the_formula_says_and_others_keep_their_bits() =>
        Gen.Select(Gen.Int[1, 70], AnyWidth).Sample((d, width) =>
        {
            const int rowCount = 6;
            int[] touched = [4, 0, 2], slots = [1, -1, 0];
            float[] p = Reference.Random(rowCount * d, 1), m = Reference.Random(rowCount * d, 2), g = Reference.Random(2 * d, 3);
            var v = Reference.Random(rowCount * d, 4).Select(MathF.Abs).ToArray();
            float[] p0 = [.. p], m0 = [.. m], v0 = [.. v];
            fixed (float* pp = p, pm = m, pv = v, pg = g)
            fixed (int* pr = touched, ps = slots)
            {
                AdamW.Update(pp, pm, pv, pg, pr, ps, touched.Length, d, Step, width);
            }
            for (var i = 0; i < p.Length; i++)
            {
                var at = Array.IndexOf(touched, i / d);
                if (at < 0)
                {
                    (p[i], m[i], v[i]).ShouldBe((p0[i], m0[i], v0[i]));
                    continue;
                }
                var gradient = slots[at] < 0 ? 0.0 : 0.5 * g[slots[at] * d + i % d];
                var first = 0.9 * m0[i] + 0.1 * gradient;
                var second = 0.999 * v0[i] + 0.001 * gradient * gradient;
                var denominator = Math.Sqrt(second) / Math.Sqrt(1 - Math.Pow(0.999, 3)) + 1e-8;
                ShouldBeNear(m[i], first, 0, "first moment");
                ShouldBeNear(v[i], second, 0, "second moment");
                ShouldBeNear(p[i], p0[i] * (1 - 0.01 * 0.1) - 0.01 / (1 - Math.Pow(0.9, 3)) * first / denominator, 1, "weight");
            }
        }, iter: 100);

    [Fact]
    public void The_bits_do_not_depend_on_the_number_of_threads()
    {
        const int rows = 300, d = 33;
        var threads = KernelThreads.Count;
        var results = new List<float[]>();
        foreach (var count in new[] { 1, 2, 5 })
        {
            KernelThreads.Count = count;
            float[] p = Reference.Random(rows * d, 1), m = new float[rows * d], v = new float[rows * d], g = Reference.Random(rows * d, 2);
            fixed (float* pp = p, pm = m, pv = v, pg = g) AdamW.Update(pp, pm, pv, pg, null, null, rows, d, Step);
            results.Add(p);
        }
        KernelThreads.Count = threads;
        results[1].ShouldBe(results[0]);
        results[2].ShouldBe(results[0]);
    }
}
