using Meft.Adapters.Lora;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using Meft.Native;
using Meft.Tests.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters.Lora;

public class LoraAdapterTests
{
    private static readonly ModelConfig Config = TinyDecoder.Llama with { LayerCount = 3 };

    private static readonly LoraSettings Settings = new()
    {
        Rank = 3,
        Alpha = 4,
        Targets = new TargetSelection.AllLinear(),
        RankPattern = [new("mlp.up_proj", 5)],
    };

    [Fact]
    public void It_starts_as_the_base_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyDecoder.Create(Config);
        using var adapter = Adapter(Settings);
        TinyModel.Same(Forward(decoder, adapter), Forward(decoder, null)).ShouldBeTrue();
    }

    [Fact]
    public void Start_values_are_uniform_within_the_bound_that_linear_layers_have_and_follow_the_seed()
    {
        using var scope = NewDisposeScope();
        using var adapter = Adapter(Settings with { Rank = 64 });
        foreach (var map in adapter.Maps)
        {
            var bound = 1 / Math.Sqrt(map.Spec.Module.Inputs);
            map.A.abs().max().item<float>().ShouldBeInRange((float)(0.95 * bound), (float)bound);
            map.A.std().item<float>().ShouldBe((float)(bound / Math.Sqrt(3)), 0.05 * bound);
            map.B.count_nonzero().item<long>().ShouldBe(0);
        }
        using var same = Adapter(Settings with { Rank = 64 });
        using var other = Adapter(Settings with { Rank = 64 }, seed: 8);
        TinyModel.Same(same.Maps[0].A, adapter.Maps[0].A).ShouldBeTrue();
        TinyModel.Same(other.Maps[0].A, adapter.Maps[0].A).ShouldBeFalse();
    }

    [Theory]
    [InlineData(false, 4.0)]
    [InlineData(true, 4.0)]
    [InlineData(false, 3.0)]
    public void It_computes_what_the_merged_weights_compute(bool rslora, double alpha)
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyDecoder.Create(Config);
        using var adapter = Filled(Adapter(Settings with { Rslora = rslora, Alpha = alpha }));
        var beside = Forward(decoder, adapter);
        TinyModel.Difference(beside, Forward(decoder, null)).ShouldBeGreaterThan(0.1);
        LoraMerge.Into(decoder, adapter);
        TinyModel.Difference(beside, Forward(decoder, null)).ShouldBeLessThan(1e-4);
    }

    [Fact]
    public void Gradients_are_those_of_finite_differences()
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyDecoder.Create(Config);
        using var adapter = Filled(Adapter(Settings)).MakeTrainable();
        adapter.Dropout = new LoraDropout(0.3, Seed: 1, Step: 2, MicroBatch: 0);
        var weight = randn([9, Config.HiddenSize], generator: new Generator(5, CPU));
        Tensor Loss() => (Forward(decoder, adapter) * weight).sum();
        Loss().backward();
        var random = new Random(3);
        foreach (var (name, parameter) in adapter.Parameters)
        {
            var gradient = parameter.grad.ShouldNotBeNull(name);
            // Half along a random direction, half along the gradient: a slope that is above float32's noise.
            var direction = randn(parameter.shape, generator: new Generator((ulong)random.Next(), CPU));
            direction = (direction / direction.norm()).Plus(gradient / gradient.norm());
            direction /= direction.norm();
            using var noGradients = no_grad();
            const double h = 2e-3;
            double Moved(double by)
            {
                parameter.PlusInPlace(direction.Times(by));
                var loss = Loss().item<float>();
                parameter.sub_(direction.Times(by));
                return loss;
            }
            var expected = (Moved(h) - Moved(-h)) / (2 * h);
            var actual = (gradient * direction).sum().item<float>();
            expected.ShouldBeGreaterThan(0.1, name);
            actual.ShouldBe((float)expected, 0.01 * expected, name);
        }
    }

    [Fact]
    public void Below_the_first_adapted_layer_and_beside_the_maps_nothing_wants_gradients()
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyDecoder.Create(Config);
        using var adapter = Adapter(Settings with { Targets = new TargetSelection.Named(["v_proj"]), Layers = [1] }).MakeTrainable();
        (adapter.Adapts(0), adapter.Adapts(1), adapter.Adapts(2), adapter.Adapts(9)).ShouldBe((false, true, false, false));
        using var layout = TokenLayout.FromLengths([4], CPU);
        var h = decoder.Embed(tensor(new long[] { 1, 2, 3, 4 }));
        h = decoder.ForwardLayer(0, h, layout, adapter: adapter);
        h.requires_grad.ShouldBeFalse();
        adapter.Apply(1, LinearMap.Query, h, h).ShouldBeSameAs(h);
        decoder.ForwardLayer(1, h, layout, adapter: adapter).requires_grad.ShouldBeTrue();
    }

    [Fact]
    public void Beside_a_bfloat16_base_the_sum_is_made_in_float32_and_rounded_once()
    {
        using var scope = NewDisposeScope();
        using var adapter = Filled(Adapter(Settings));
        var map = adapter.Maps[0];
        var x = randn([7, Config.HiddenSize], generator: new Generator(1, CPU)).to(bfloat16);
        var y = randn([7, map.Spec.Module.Outputs], generator: new Generator(2, CPU)).to(bfloat16);
        var sum = adapter.Apply(0, LinearMap.Query, x, y);
        sum.dtype.ShouldBe(bfloat16);
        var exact = y.to(float64).Plus(x.to(float64).matmul(map.A.to(float64).t()).matmul(map.B.to(float64).t()).Times(map.Spec.Scale));
        TinyModel.Difference(sum, exact).ShouldBeLessThan(exact.abs().max().item<double>() / 256);
        (sum.ne(exact.to(bfloat16)).sum().item<long>()).ShouldBeLessThan(sum.numel() / 50);
    }

    [Fact]
    public void Maps_that_read_the_same_vectors_read_what_was_given_to_each()
    {
        using var scope = NewDisposeScope();
        using var adapter = Filled(Adapter(Settings));
        Tensor Random(int columns, ulong seed) => randn([3, columns], generator: new Generator(seed, CPU)).to(bfloat16);
        Tensor first = Random(32, 1), second = Random(32, 2), y = Random(32, 3);
        Tensor Of(Tensor x) => adapter.Apply(0, LinearMap.Query, x, y);
        var apart = (Of(first), Of(second));
        var again = (Of(first), Of(first), Of(second));
        TinyModel.Same(again.Item1, apart.Item1).ShouldBeTrue();
        TinyModel.Same(again.Item2, apart.Item1).ShouldBeTrue();
        TinyModel.Same(again.Item3, apart.Item2).ShouldBeTrue();
        TinyModel.Same(apart.Item1, apart.Item2).ShouldBeFalse();
    }

    [Fact]
    public void Vectors_that_were_read_without_gradients_pass_them_on_when_read_with()
    {
        using var scope = NewDisposeScope();
        using var adapter = Filled(Adapter(Settings)).MakeTrainable();
        var x = randn([3, 32], generator: new Generator(1, CPU)).to(bfloat16).requires_grad_();
        var y = zeros([3, 32], bfloat16);
        using (no_grad()) adapter.Apply(0, LinearMap.Query, x, y);
        adapter.Apply(0, LinearMap.Query, x, y).sum().backward();
        x.grad.ShouldNotBeNull().count_nonzero().item<long>().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void A_pass_leaves_no_tensor_behind()
    {
        using var decoder = TinyDecoder.Create(Config);
        using var adapter = Adapter(Settings).MakeTrainable();
        TinyDecoder.LiveTensorsAdded(() =>
        {
            using var scope = NewDisposeScope();
            adapter.Dropout = new LoraDropout(0.1, 1, 1, 0);
            Forward(decoder, adapter).sum().backward();
            foreach (var (_, parameter) in adapter.Parameters) parameter.grad = null;
        }).ShouldBe(0);
    }

    private static LoraAdapter Adapter(LoraSettings settings, ulong seed = 7) => new LoraAdapter(settings.Resolve(Config), CPU).Initialize(seed);

    /// <summary>B drawn, so that the additions are not zero.</summary>
    private static LoraAdapter Filled(LoraAdapter adapter)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(11, CPU);
        foreach (var map in adapter.Maps) map.B.copy_(randn(map.B.shape, generator: generator).Times(0.3));
        return adapter;
    }

    private static Tensor Forward(Decoder decoder, LoraAdapter? adapter)
    {
        using var layout = TokenLayout.FromLengths([5, 4], CPU);
        return decoder.Forward(tensor(new long[] { 1, 2, 3, 4, 5, 6, 7, 8, 9 }), layout, adapter: adapter);
    }
}
