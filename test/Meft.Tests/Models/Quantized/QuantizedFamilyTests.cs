using Meft.Core.Configuration;
using Meft.Models;
using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

/// <summary>Quantised bases of every family: logits and gradients are those of a plain base of the weights that they hold.</summary>
public class QuantizedFamilyTests
{
    private static readonly long[] Ids = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    public static TheoryData<string, Quantization> Cases { get; } = new(
        RandomFamilies.Names.SelectMany(family => new[] { Quantization.Int8, Quantization.Nf4 }.Select(quantize => (family.Data, quantize))));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_and_gradients_are_those_of_a_plain_base_of_its_weights(string family, Quantization quantize)
    {
        for (var seed = 0; seed < 3; seed++)
        {
            using var scope = NewDisposeScope();
            var drawn = RandomFamilies.Create(family, seed);
            // A whole block and a part of one in every row; weights so small that attention is not all on one token.
            var config = drawn with { HiddenSize = drawn.HiddenSize + 64, IntermediateSize = drawn.IntermediateSize + 64, InitializerRange = 0.1 };
            using var bases = new QuantizedBases(quantize, ScalarType.Float32, config, () => RandomFamilies.Build(config, ScalarType.Float32));
            var (expected, original) = (Run(bases.Plain), Run(bases.Original));
            var quantized = Run(bases.Quantized);
            ShouldBeNear(quantized.Logits, expected.Logits, original.Logits, $"{family} {seed} logits");
            ShouldBeNear(quantized.Gradient, expected.Gradient, original.Gradient, $"{family} {seed} gradient");
            using var noGradients = no_grad();
            TinyModel.Same(Logits(bases.Streamed, bases.Streamed.Embed(tensor(Ids))), quantized.Logits).ShouldBeTrue($"{family} {seed}");
        }
    }

    /// <summary>Rounding apart the same, which is far nearer than the weights are from which the base was made.</summary>
    private static void ShouldBeNear(Tensor actual, Tensor expected, Tensor original, string name)
    {
        TorchTest.RelativeError(actual, expected).ShouldBeLessThan(1e-4, name);
        TorchTest.RelativeError(original, expected).ShouldBeGreaterThan(1e-3, name);
    }

    private static (Tensor Logits, Tensor Gradient) Run(Decoder decoder)
    {
        var h = decoder.Embed(tensor(Ids)).detach().requires_grad_();
        var logits = Logits(decoder, h);
        (logits * randn(logits.shape, generator: new Generator(5, CPU))).sum().backward();
        BackwardFailure.ThrowIfAny();
        return (logits.detach(), h.grad.ShouldNotBeNull());
    }

    private static Tensor Logits(Decoder decoder, Tensor h)
    {
        using var layout = TokenLayout.FromLengths([8, 1, 3], CPU);
        return decoder.Logits(decoder.ForwardEmbedded(h, layout));
    }
}
