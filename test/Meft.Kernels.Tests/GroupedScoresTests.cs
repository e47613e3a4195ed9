using CsCheck;
using Shouldly;
using static Meft.Kernels.Tests.Reference;

namespace Meft.Kernels.Tests;

public unsafe class GroupedScoresTests
{
    [Fact]
    public void All_pairs_agree_with_plain_loops_at_every_width_and_size() =>
        Gen.Select(Gen.Int[1, 11], Gen.Int[1, 9], Gen.Int[1, 70], AnyWidth).Sample((t, n, d, width) =>
        {
            float[] x = Reference.Random(t * d, 1), rows = Reference.Random(n * d, 2), scores = new float[t * n];
            fixed (float* px = x, pr = rows, ps = scores) GroupedScores.ComputeAll(px, t, pr, n, d, ps, width);
            for (var i = 0; i < t * n; i++) ShouldBeNear(scores[i], Dot(x, i / n, rows, i % n, d), d, $"token {i / n}, row {i % n}");
        }, iter: 200);

    [Fact]
    public void Groups_write_their_members_places_and_no_others() =>
        Gen.Select(Gen.Int[1, 7], Gen.Int[1, 9], Gen.Int[1, 40], Gen.Int[0, 30], AnyWidth).Sample(
            (groups, perGroup, d, members, width) =>
            {
                var random = new Random(members);
                var group = Enumerable.Range(0, members).Select(_ => random.Next(groups)).Order().ToArray();
                var starts = Enumerable.Range(0, groups + 1).Select(g => group.Count(m => m < g)).ToArray();
                var tokens = group.Select(_ => random.Next(5)).ToArray();
                var slots = Enumerable.Range(0, members + 1).OrderBy(_ => random.Next()).Take(members).ToArray();
                float[] x = Reference.Random(5 * d, 3), rows = Reference.Random(groups * perGroup * d, 4);
                var scores = Enumerable.Repeat(float.NaN, (members + 1) * perGroup).ToArray();
                fixed (float* px = x, pr = rows, ps = scores)
                fixed (int* pt = tokens, pl = slots)
                {
                    GroupedScores.Compute(px, pr, starts, pt, pl, perGroup, d, ps, width);
                }
                for (var m = 0; m < members; m++)
                {
                    for (var j = 0; j < perGroup; j++)
                        ShouldBeNear(scores[slots[m] * perGroup + j], Dot(x, tokens[m], rows, group[m] * perGroup + j, d), d, $"member {m}");
                }
                scores.Count(float.IsNaN).ShouldBe(perGroup);
            }, iter: 200);

    [Fact]
    public void A_product_has_the_same_bits_in_whatever_block_and_on_however_many_threads_it_is_computed()
    {
        const int t = 37, n = 13, d = 101;
        float[] x = Reference.Random(t * d, 5), rows = Reference.Random(n * d, 6), together = new float[t * n], alone = new float[n];
        var threads = KernelThreads.Count;
        fixed (float* px = x, pr = rows, ps = together, pa = alone)
        {
            GroupedScores.ComputeAll(px, t, pr, n, d, ps);
            KernelThreads.Count = 1;
            for (var token = 0; token < t; token++)
            {
                GroupedScores.ComputeAll(px + token * d, 1, pr, n, d, pa);
                alone.ShouldBe(together[(token * n)..((token + 1) * n)]);
            }
            KernelThreads.Count = threads;
        }
    }
}
