using CsCheck;

namespace Meft.Kernels.Tests;

public unsafe class ExpertScoresTests
{
    [Fact]
    public void Scores_agree_with_plain_loops() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[1, 6], Gen.Int[1, 80], Gen.Int[1, 70], Reference.AnyWidth, Gen.Int[0, 1000])
            .Sample((tokens, experts, perExpert, dimension, width, seed) =>
            {
                var random = new Random(seed);
                var probe = random.Next(1, experts + 1);
                float[] x = Reference.Random(tokens * dimension, seed), rows = Reference.Random(experts * perExpert * dimension, seed + 1);
                var scores = new float[tokens * probe * perExpert];
                int[] probed = [.. Enumerable.Range(0, tokens * probe).Select(_ => random.Next(experts))];
                fixed (float* px = x, pr = rows, ps = scores)
                fixed (int* pe = probed)
                    ExpertScores.Compute(px, tokens, pr, pe, probe, perExpert, dimension, ps, width);
                for (var i = 0; i < scores.Length; i++)
                {
                    var (slot, j) = Math.DivRem(i, perExpert);
                    var expected = Reference.Dot(x, slot / probe, rows, probed[slot] * perExpert + j, dimension);
                    Reference.ShouldBeNear(scores[i], expected, dimension, $"score {i}");
                }
            }, iter: 150);
}
