using CsCheck;
using Meft.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>The kernel of the CPU (float32) against libtorch's attention (float64), which other devices and types use.</summary>
public class AttentionTests
{
    [Fact]
    public void Both_ways_agree_forward_and_backward() =>
        Gen.Select(Gen.Int[0, 9].Array[1, 4].Where(l => l.Sum() > 0), Gen.Int[1, 2], Gen.Int[1, 3], Gen.Int[0, 5], Gen.Int[0, 2]).Sample((lengths, keyHeads, group, window, kind) =>
        {
            using var scope = NewDisposeScope();
            using var layout = TokenLayout.FromLengths(lengths, CPU);
            // The usual scale, another one, and another one with a bound that scores of about 3 feel.
            var terms = new AttentionTerms(kind == 0 ? 1 / Math.Sqrt(8) : 0.9, kind == 2 ? 1.5 : null, window == 0 ? null : window);
            var inputs = new[] { keyHeads * group, keyHeads, keyHeads }.Select(heads => randn(layout.TokenCount, heads, 8)).ToArray();
            var weights = randn(layout.TokenCount, keyHeads * group * 8);
            var (one, gradients) = Run(float32);
            var (other, expected) = Run(float64);
            TinyModel.Difference(one, other).ShouldBeLessThan(1e-5);
            for (var i = 0; i < 3; i++) TinyModel.Difference(gradients[i], expected[i]).ShouldBeLessThan(1e-5);

            (Tensor, Tensor[]) Run(ScalarType type)
            {
                Tensor[] x = [.. inputs.Select(input => input.to(type).detach().requires_grad_())];
                var output = Attention.Within(x[0], x[1], x[2], layout, terms);
                (output * weights.to(type)).sum().backward();
                return (output.detach(), [.. x.Select(t => t.grad!)]);
            }
        }, iter: 100, threads: 1);

    [Fact]
    public void Both_ways_agree_over_a_cache()
    {
        var config = TinyDecoder.Llama with
        {
            Architecture = "Qwen3ForCausalLM",
            QueryKeyNorm = true,
            SlidingWindow = 3,
            SlidingLayers = [true, false],
        };
        using Decoder host = TinyDecoder.Create(config), other = Decoder.Initialize(config, 7, CPU, float64);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using KeyValueCache hostCache = new(config, 3, 12, CPU, float32), otherCache = new(config, 3, 12, CPU, float64);
        // A prompt, a step of several tokens, steps of one token.
        foreach (var counts in new int[][] { [4, 1, 2], [1, 3, 2], [1, 1, 1], [1, 1, 1] })
        {
            var ids = randint(0, 48, [counts.Sum()], int64);
            using TokenLayout hostLayout = hostCache.Next(counts), otherLayout = otherCache.Next(counts);
            TinyModel.Difference(host.Forward(ids, hostLayout, hostCache), other.Forward(ids, otherLayout, otherCache)).ShouldBeLessThan(1e-4);
        }
    }
}
