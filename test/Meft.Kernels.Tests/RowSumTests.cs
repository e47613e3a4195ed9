using CsCheck;
using Shouldly;
using static Meft.Kernels.Tests.Reference;

namespace Meft.Kernels.Tests;

public unsafe class RowSumTests
{
    private static readonly Gen<(int Sums, int D, int Rows, int Seed, Simd.SimdWidth Width)> Shapes =
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 300], Gen.Int[1, 9], Gen.Int[0, 1000], AnyWidth);

    [Fact]
    public void Weighted_sums_agree_with_plain_loops_overwriting_accumulating_and_placed() =>
        Gen.Select(Shapes, Gen.Bool).Sample((shape, accumulate) =>
        {
            var (sums, d, rows, seed, width) = shape;
            var (starts, indices) = Lists(sums, rows, seed);
            float[] source = Reference.Random(rows * d, seed), weights = Reference.Random(indices.Length, seed + 1);
            var before = Reference.Random(sums * d, seed + 2);
            var results = before.ToArray();
            var places = Enumerable.Range(0, sums).Reverse().ToArray();
            fixed (float* ps = source, pw = weights, pr = results)
            fixed (int* st = starts, ix = indices, pl = places)
            {
                WeightedRowSum.Compute(ps, st, ix, pw, sums, d, pr, pl, accumulate, width);
            }
            for (var i = 0; i < sums; i++)
            {
                for (var c = 0; c < d; c++)
                {
                    double expected = accumulate ? before[places[i] * d + c] : 0;
                    for (var m = starts[i]; m < starts[i + 1]; m++) expected += (double)weights[m] * source[indices[m] * d + c];
                    ShouldBeNear(results[places[i] * d + c], expected, rows, $"sum {i}, column {c}");
                }
            }
        }, iter: 200);

    [Fact]
    public void Without_indices_a_sum_runs_over_all_rows()
    {
        float[] source = [1, 2, 3, 4], weights = [10, 100, 1000, 10000], results = new float[4];
        int[] starts = [0, 2, 4];
        fixed (float* ps = source, pw = weights, pr = results)
        fixed (int* st = starts)
        {
            WeightedRowSum.Compute(ps, st, null, pw, 2, 2, pr);
        }
        results.ShouldBe([310, 420, 31000, 42000]);
    }

    [Fact]
    public void Member_dots_agree_with_plain_loops() =>
        Shapes.Sample((sums, d, rows, seed, width) =>
        {
            var (starts, indices) = Lists(sums, rows, seed);
            float[] x = Reference.Random(sums * d, seed), matrix = Reference.Random(rows * d, seed + 1), dots = new float[indices.Length];
            fixed (float* px = x, pm = matrix, pd = dots)
            fixed (int* st = starts, ix = indices)
            {
                MemberDots.Compute(px, pm, st, ix, sums, d, pd, width);
            }
            for (var i = 0; i < sums; i++)
            {
                for (var m = starts[i]; m < starts[i + 1]; m++) ShouldBeNear(dots[m], Dot(x, i, matrix, indices[m], d), d, $"member {m}");
            }
        }, iter: 200);

    [Fact]
    public void The_squared_norm_agrees_with_a_plain_loop() =>
        Shapes.Sample((_, d, rows, seed, width) =>
        {
            var matrix = Reference.Random(rows * d, seed);
            double norm;
            fixed (float* pm = matrix) norm = SquaredNorm.Compute(pm, rows, d, width);
            ShouldBeNear(norm, matrix.Sum(v => (double)v * v), rows * d, "norm");
        }, iter: 100);

    private static (int[] Starts, int[] Indices) Lists(int sums, int rows, int seed)
    {
        var random = new Random(seed);
        var lengths = Enumerable.Range(0, sums).Select(_ => random.Next(0, 7)).ToArray();
        var starts = new int[sums + 1];
        for (var i = 0; i < sums; i++) starts[i + 1] = starts[i] + lengths[i];
        return (starts, [.. Enumerable.Range(0, starts[^1]).Select(_ => random.Next(rows)), .. starts[^1] == 0 ? new[] { 0 } : []]);
    }
}
