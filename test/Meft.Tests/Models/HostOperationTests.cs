using Meft.Core.Formats.HuggingFace;
using Meft.Kernels.Rows;
using Meft.Models;
using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>The operations that kernels compute on the host against the same operations of torch, forward and backward.</summary>
public class HostOperationTests
{
    [Theory]
    [InlineData(ScalarType.Float32, 1e-5, NormScaling.AfterRounding)]
    [InlineData(ScalarType.BFloat16, 0.02, NormScaling.AfterRounding)]
    [InlineData(ScalarType.Float32, 1e-5, NormScaling.BeforeRounding)]
    [InlineData(ScalarType.BFloat16, 0.02, NormScaling.BeforeRounding)]
    [InlineData(ScalarType.Float32, 1e-5, NormScaling.OnePlusWeight)]
    [InlineData(ScalarType.BFloat16, 0.02, NormScaling.OnePlusWeight)]
    public void A_norm_and_its_gradient_are_those_of_torch(ScalarType type, double tolerance, NormScaling scaling)
    {
        using var scope = NewDisposeScope();
        Tensor x = Random([7, 3, 40], type, 1), weight = Random([40], type, 2), dy = Random([7, 3, 40], type, 3);
        Compare(x, dy, tolerance, leaf => HostNorm.Apply(leaf, weight, 1e-5, scaling), leaf =>
        {
            var wide = leaf.to(float32);
            var quotient = wide * wide.Squared().mean([-1], keepdim: true).Plus(1e-5).rsqrt();
            return scaling switch
            {
                NormScaling.BeforeRounding => (quotient * weight.to(float32)).to(type),
                NormScaling.OnePlusWeight => (quotient * weight.to(float32).Plus(1.0)).to(type),
                _ => quotient.to(type) * weight,
            };
        });
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 0.02)]
    public void Turning_a_part_leaves_the_rest(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        Tensor x = Random([7, 3, 40], type, 1), dy = Random([7, 3, 40], type, 3), angles = Random([7, 1, 12], ScalarType.Float32, 4).Times(9.0);
        using var tables = new RotaryTables(angles.cos().to(type), angles.sin().to(type));
        Compare(x, dy, tolerance, leaf => HostRotary.Apply(leaf, tables), leaf =>
        {
            Tensor first = leaf.narrow(2, 0, 12), second = leaf.narrow(2, 12, 12);
            return cat([first * tables.Cosine - second * tables.Sine, (second * tables.Cosine).Plus(first * tables.Sine), leaf.narrow(2, 24, 16)], 2);
        });
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 0.02)]
    public void Turning_and_its_gradient_are_those_of_torch(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        Tensor x = Random([7, 3, 40], type, 1), dy = Random([7, 3, 40], type, 3), angles = Random([7, 1, 20], ScalarType.Float32, 4).Times(9.0);
        using var tables = new RotaryTables(angles.cos().to(type), angles.sin().to(type));
        Compare(x, dy, tolerance, leaf => HostRotary.Apply(leaf, tables), leaf =>
        {
            Tensor first = leaf.narrow(2, 0, 20), second = leaf.narrow(2, 20, 20);
            return cat([first * tables.Cosine - second * tables.Sine, (second * tables.Cosine).Plus(first * tables.Sine)], 2);
        });
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 0.02)]
    public void A_gated_product_and_its_gradients_are_those_of_torch(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        Tensor gate = Random([7, 90], type, 1), up = Random([7, 90], type, 2), dy = Random([7, 90], type, 3);
        Compare(gate, dy, tolerance, leaf => HostGatedUnit.Apply(leaf, up, GateActivation.Silu), leaf => nn.functional.silu(leaf) * up);
        Compare(up, dy, tolerance, leaf => HostGatedUnit.Apply(gate, leaf, GateActivation.Silu), leaf => nn.functional.silu(gate) * leaf);
        Compare(gate, dy, tolerance, leaf => HostGatedUnit.Apply(leaf, up, GateActivation.GeluTanh), leaf => Gelu(leaf) * up);
        Compare(up, dy, tolerance, leaf => HostGatedUnit.Apply(gate, leaf, GateActivation.GeluTanh), leaf => Gelu(gate) * leaf);

        static Tensor Gelu(Tensor x) => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh, false);
    }

    [Fact]
    public void A_packed_weight_computes_what_the_plain_one_does_within_the_budget()
    {
        Assert.SkipUnless(PackedWeights.AreSupported, "this processor or this libtorch packs no weights");
        using var scope = NewDisposeScope();
        Tensor x = Random([33, 48], ScalarType.BFloat16, 1), weight = Random([80, 48], ScalarType.BFloat16, 2);
        Tensor bias = Random([80], ScalarType.BFloat16, 3), dy = Random([33, 80], ScalarType.BFloat16, 4);
        // Enough for the map, not for its gradient; then for both.
        foreach (var limit in new[] { 0, 80 * 48 * 2, 2 * 80 * 48 * 2 })
        {
            using var weights = new LinearWeights(weight, bias, new PackingBudget { Limit = limit });
            Compare(x, dy, 0.01, given => weights.Apply(given, few: false), leaf => nn.functional.linear(leaf, weight, bias));
            Compare(x, dy, 0.01, given => weights.Apply(given, few: false), leaf => nn.functional.linear(leaf, weight, bias));
        }
    }

    [Fact]
    public void A_weight_that_is_trained_is_not_packed_and_gets_its_gradient()
    {
        using var scope = NewDisposeScope();
        var budget = new PackingBudget { Limit = 1 << 20 };
        Tensor x = Random([9, 16], ScalarType.BFloat16, 1), weight = Random([24, 16], ScalarType.BFloat16, 2);
        using var weights = new LinearWeights(weight, null, budget);
        using (no_grad()) weights.Apply(x, few: false).Dispose();
        weight.requires_grad = true;
        weights.Apply(x, few: false).sum().backward();
        Assert.NotNull(weight.grad);
        budget.TryTake(1 << 20).ShouldBeTrue();
        using (no_grad())
        {
            weight.zero_();
            weights.Apply(x, few: false).abs().sum().to(float32).item<float>().ShouldBe(0);
        }
    }

    private static void Compare(Tensor x, Tensor dy, double tolerance, Func<Tensor, Tensor> host, Func<Tensor, Tensor> plain)
    {
        var (y, dx) = Differentiate(x, dy, host);
        var (expectedY, expectedDx) = Differentiate(x, dy, plain);
        Difference(y, expectedY).ShouldBeLessThan(tolerance);
        Difference(dx, expectedDx).ShouldBeLessThan(tolerance);
        using var noGradients = no_grad();
        Difference(host(x), expectedY).ShouldBeLessThan(tolerance);
    }

    private static (Tensor Y, Tensor Dx) Differentiate(Tensor x, Tensor dy, Func<Tensor, Tensor> function)
    {
        var leaf = x.detach().clone().requires_grad_(true);
        var y = function(leaf);
        y.backward([dy]);
        BackwardHandles.FreeReturned();
        return (y, leaf.grad!);
    }

    private static double Difference(Tensor a, Tensor b)
    {
        Assert.Equal(a.dtype, b.dtype);
        return ((a.to(float64) - b.to(float64)).norm() / b.to(float64).norm()).item<double>();
    }

    private static Tensor Random(long[] shape, ScalarType type, ulong seed)
    {
        using var generator = new Generator(seed, CPU);
        return randn(shape, float32, generator: generator).to(type);
    }
}
