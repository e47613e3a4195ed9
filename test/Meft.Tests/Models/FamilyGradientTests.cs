using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Adapters;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Memory;
using Meft.Models;
using Meft.Native;
using Meft.Tests.Training;
using Meft.TestSupport;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>Every family trains: gradients against finite differences, and one result whichever way a step is carried out.</summary>
public class FamilyGradientTests
{
    private static readonly long[] Ids = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    private static readonly int[] Lengths = [8, 1, 3];

    /// <summary>Gradients below are noise.</summary>
    private const double Nothing = 1e-8;

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Gradients_of_all_weights_are_those_of_finite_differences(string family)
    {
        for (var seed = 0; seed < 3; seed++)
        {
            using var scope = NewDisposeScope();
            using var decoder = RandomFamilies.Build(RandomFamilies.Create(family, seed), float64);
            decoder.SetTrainable(true);
            Loss(decoder, null).backward();
            BackwardFailure.ThrowIfAny();
            using var noGradients = no_grad();
            foreach (var (name, parameter) in decoder.Parameters)
                ShouldBeSlope(parameter.grad.ShouldNotBeNull(name), parameter, 1e-5, 1e-6, () => Loss(decoder, null).item<double>(), $"{family} {seed} {name}");
        }
    }

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Kernels_give_the_gradients_of_tensors(string family)
    {
        for (var seed = 0; seed < 4; seed++)
        {
            using var scope = NewDisposeScope();
            var config = RandomFamilies.Create(family, seed);
            Tensor Gradient(ScalarType type)
            {
                using var decoder = RandomFamilies.Build(config, type);
                var h = decoder.Embed(tensor(Ids)).detach().requires_grad_();
                Loss(decoder, null, h).backward();
                BackwardFailure.ThrowIfAny();
                return h.grad!;
            }
            TorchTest.RelativeError(Gradient(float32), Gradient(float64)).ShouldBeLessThan(1e-4, $"{family} {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void An_adapter_beside_the_block_has_the_gradients_of_finite_differences(string family)
    {
        using var scope = NewDisposeScope();
        var config = RandomFamilies.Create(family, 5);
        using var decoder = RandomFamilies.Build(config, float64);
        using var adapter = new SmoothAdapter(config.HiddenSize, layer: 0);
        Loss(decoder, adapter).backward();
        BackwardFailure.ThrowIfAny();
        using var noGradients = no_grad();
        foreach (var parameter in new[] { adapter.Keys, adapter.Values })
            ShouldBeSlope(parameter.grad!, parameter, 1e-5, 1e-6, () => Loss(decoder, adapter).item<double>(), family);
    }

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void The_loss_in_pieces_has_the_gradient_of_the_loss_at_once(string family)
    {
        using var scope = NewDisposeScope();
        var config = RandomFamilies.Create(family, 7);
        long[] positions = [0, 2, 3, 6], targets = [5, 47, 0, 13];
        (double Loss, Tensor Gradient) Pieces(ScalarType type)
        {
            using var decoder = RandomFamilies.Build(config, type);
            var h = randn([8, config.HiddenSize], float32, generator: new Generator(9, CPU)).to(type).detach().requires_grad_();
            var sum = TrainedTokenLoss.Compute(decoder, h, positions, targets, 0.5, new MemoryLedger());
            return (sum, h.grad!);
        }
        using var wide = RandomFamilies.Build(config, float64);
        var x = randn([8, config.HiddenSize], float32, generator: new Generator(9, CPU)).to(float64).detach().requires_grad_();
        var loss = nn.functional.cross_entropy(wide.Logits(x.index_select(0, tensor(positions))), tensor(targets), reduction: nn.Reduction.Sum);
        loss.Times(0.5).backward();
        foreach (var type in new[] { float32, float64 })
        {
            var (sum, gradient) = Pieces(type);
            sum.ShouldBe(loss.item<double>(), 1e-5 * loss.item<double>(), family);
            TorchTest.RelativeError(gradient, x.grad!).ShouldBeLessThan(1e-5, family);
        }
    }

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void The_adapter_reads_what_the_block_reads_and_adds_to_the_blocks_own_result(string family)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var config = RandomFamilies.Create(family, 2);
        using var decoder = RandomFamilies.Build(config, float64);
        using var layout = TokenLayout.FromLengths(Lengths, CPU);
        var h = decoder.Embed(tensor(Ids));
        // An adapter that takes the block's own result away leaves what stands behind it with nothing but zeros: the layer is its attention alone.
        var probe = new CancellingAdapter(decoder, layer: 1);
        var adapted = decoder.ForwardLayer(1, h, layout, adapter: probe);
        var x = probe.Seen.ShouldNotBeNull();
        // x is the hidden state after attention, normed where the family norms it there: so the layer's result without the block is known from x.
        if (config.NormPlacement == NormPlacement.After) TinyModel.Difference(adapted, x).ShouldBeLessThan(1e-12);
        else TinyModel.Difference(NormOf(decoder, adapted), x).ShouldBeLessThan(1e-9);
    }

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Recomputed_and_streamed_steps_give_the_bits_of_kept_and_resident_ones(string family)
    {
        var config = RandomFamilies.Create(family, 4) with { VocabularySize = TinyTask.Vocabulary };
        using var folder = new TemporaryFolder();
        using var resident = RandomFamilies.Build(config, float32);
        var tensors = new SafetensorsWriter();
        foreach (var (name, value) in resident.Parameters) tensors.Add(name, value);
        tensors.Save(folder.File("model.safetensors"));
        using var source = ShardedSafetensors.OpenFolder(folder.Path);
        using var streamed = Decoder.LoadStreamed(source, config, CPU, float32);
        var (bits, losses) = Train(resident, recompute: false);
        losses[^1].ShouldBeLessThan(losses[0]);
        Train(resident, recompute: true).Bits.ShouldBe(bits);
        Train(streamed, recompute: true).Bits.ShouldBe(bits);
    }

    [Fact]
    public void Lora_on_fused_maps_has_pefts_names_computes_what_merging_gives_and_has_the_gradients_of_finite_differences()
    {
        using var scope = NewDisposeScope();
        var config = RandomFamilies.Create("phi3", 1);
        using Decoder decoder = RandomFamilies.Build(config, float32), wide = RandomFamilies.Build(config, float64);
        var settings = new LoraSettings { Rank = 3, Alpha = 4, Targets = new TargetSelection.AllLinear() };
        using var adapter = new LoraAdapter(settings.Resolve(config), CPU).Initialize(7);
        var inner = "base_model.model.model.layers.0";
        var queries = (config.HeadCount + 2 * config.KeyValueHeadCount) * config.HeadSize;
        var parameters = adapter.Parameters.ToDictionary();
        parameters[$"{inner}.self_attn.qkv_proj.lora_A.weight"].shape.ShouldBe([3, config.HiddenSize]);
        parameters[$"{inner}.self_attn.qkv_proj.lora_B.weight"].shape.ShouldBe([queries, 3]);
        parameters[$"{inner}.mlp.gate_up_proj.lora_B.weight"].shape.ShouldBe([2 * config.IntermediateSize, 3]);
        parameters.Count.ShouldBe(config.LayerCount * 4 * 2);

        using var generator = new Generator(11, CPU);
        using (no_grad())
            foreach (var map in adapter.Maps) map.B.copy_(randn(map.B.shape, generator: generator).Times(0.3));
        adapter.MakeTrainable();
        Loss(decoder, adapter).backward();
        BackwardFailure.ThrowIfAny();
        using var noGradients = no_grad();
        foreach (var (name, parameter) in parameters)
            ShouldBeSlope(parameter.grad.ShouldNotBeNull(name), parameter, 1e-3, 1e-3, () => Loss(wide, adapter).item<double>(), name);
        var beside = Forward(decoder, adapter);
        TinyModel.Difference(beside, Forward(decoder, null)).ShouldBeGreaterThan(0.1);
        LoraMerge.Into(decoder, adapter);
        TinyModel.Difference(beside, Forward(decoder, null)).ShouldBeLessThan(1e-4);
    }

    /// <summary>A smooth function of the logits of rows of unlike length.</summary>
    internal static Tensor Loss(Decoder decoder, IDecoderAdapter? adapter, Tensor? embedded = null)
    {
        using var scope = NewDisposeScope();
        using var layout = TokenLayout.FromLengths(Lengths, CPU);
        var h = decoder.ForwardEmbedded(embedded ?? decoder.Embed(tensor(Ids)), layout, adapter: adapter);
        var logits = decoder.Logits(h);
        var weight = randn(logits.shape, float32, generator: new Generator(5, CPU)).to(logits.dtype);
        return (logits * weight).sum().MoveToOuterDisposeScope();
    }

    private static Tensor Forward(Decoder decoder, IDecoderAdapter? adapter)
    {
        using var layout = TokenLayout.FromLengths(Lengths, CPU);
        return decoder.Forward(tensor(Ids), layout, adapter: adapter);
    }

    /// <summary>
    /// Along a random direction that goes along the gradient too: the slope is then at least four times the gradient's norm over the direction's. A
    /// gradient of nothing, such as that of a bias that softmax takes no notice of, must be one.
    /// </summary>
    private static void ShouldBeSlope(Tensor gradient, Tensor parameter, double h, double tolerance, Func<double> loss, string name)
    {
        using var scope = NewDisposeScope();
        var wide = gradient.to(float64);
        var norm = wide.norm().item<double>();
        var isNothing = norm < Nothing;
        var random = randn(parameter.shape, float32, generator: new Generator(3, CPU)).to(float64);
        var along = (random * wide).sum().item<double>() < 0 ? -random : random;
        var direction = isNothing ? random : along.Plus(wide.Times(4 / norm));
        var length = direction.norm().item<double>();
        var start = parameter.clone();
        (double Loss, Tensor Parameter) Moved(double by)
        {
            parameter.copy_(start.to(float64).Plus(direction.Times(by / length)));
            return (loss(), parameter.to(float64, copy: true));
        }
        var (above, below) = (Moved(h), Moved(-h));
        parameter.copy_(start);
        // The sides as they were rounded.
        var (expected, actual) = (above.Loss - below.Loss, (wide * (above.Parameter - below.Parameter)).sum().item<double>());
        if (isNothing)
        {
            expected.ShouldBe(0, 2 * h * Nothing, name);
            return;
        }
        Math.Abs(expected).ShouldBeGreaterThan(2 * h * 3 * norm / length, name);
        actual.ShouldBe(expected, tolerance * Math.Abs(expected), name);
    }

    private static (float[] Bits, List<double> Losses) Train(Decoder decoder, bool recompute)
    {
        var config = decoder.Config;
        var spec = new SparseAdapterSpec(32, config.HiddenSize, 8, 2, 6, GateKind.Linear, [0, config.LayerCount - 1]);
        using var method = new SparseAdapterMethod(new SparseAdapter(spec).Initialize(seed: 3), OptimizerRows.Touched, TinyTask.Identity);
        var runner = new StepRunner(decoder, method, new OptimizerConfig(), new MemoryLedger(), recompute);
        var losses = Enumerable.Range(1, 6).Select(step => runner.Run([TinyTask.Rows(5)], 0.02, step).Loss).ToList();
        return (TinyTask.Bits(method), losses);
    }

    /// <summary>The norm before the feed-forward block of layer 1.</summary>
    private static Tensor NormOf(Decoder decoder, Tensor h)
    {
        var config = decoder.Config;
        var name = config.NormPlacement == NormPlacement.Around ? "pre_feedforward_layernorm" : "post_attention_layernorm";
        return RootMeanSquareNorm.Apply(h, decoder.Parameters[$"model.layers.1.{name}.weight"], config.NormEpsilon, config.NormScaling);
    }

    /// <summary>y = tanh(x·Kᵀ)·V in float64.</summary>
    private sealed class SmoothAdapter : IFeedForwardAdapter, IDisposable
    {
        private readonly int _layer;

        public SmoothAdapter(int hiddenSize, int layer)
        {
            _layer = layer;
            Keys = (randn(5, hiddenSize, float64).Times(0.5)).detach().requires_grad_();
            Values = (randn(5, hiddenSize, float64).Times(0.5)).detach().requires_grad_();
        }

        public Tensor Keys { get; }

        public Tensor Values { get; }

        public bool Adapts(int index) => index == _layer;

        public Tensor Apply(int index, Tensor x) => x.matmul(Keys.t()).tanh().matmul(Values);

        public void Dispose()
        {
            Keys.Dispose();
            Values.Dispose();
        }
    }

    /// <summary>The block's own result with the other sign, computed from the weights.</summary>
    private sealed class CancellingAdapter(Decoder decoder, int layer) : IFeedForwardAdapter
    {
        public Tensor? Seen { get; private set; }

        public bool Adapts(int index) => index == layer;

        public Tensor Apply(int index, Tensor x)
        {
            Seen = x.clone().MoveToOuterDisposeScope();
            var config = decoder.Config;
            Tensor Map(string name, Tensor input) => nn.functional.linear(
                input, decoder.Parameters[$"model.layers.{layer}.mlp.{name}.weight"], decoder.Parameters.GetValueOrDefault($"model.layers.{layer}.mlp.{name}.bias"));
            var both = config.FusedProjections ? Map("gate_up_proj", x).chunk(2, 1) : [Map("gate_proj", x), Map("up_proj", x)];
            var activated = config.Activation switch
            {
                Activation.Silu => both[0] * both[0].sigmoid(),
                Activation.GeluTanh => both[0].Times(0.5) * both[0].Plus(both[0].Power(3).Times(0.044715)).Times(Math.Sqrt(2 / Math.PI)).tanh().Plus(1.0),
                _ => both[0].Times(0.5) * both[0].Times(1 / Math.Sqrt(2)).erf().Plus(1.0),
            };
            return -Map("down_proj", activated * both[1]);
        }
    }
}
