using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Models;
using Meft.Native;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

public class DecoderTests
{
    private static readonly ModelConfig Everything = TinyDecoder.Llama with
    {
        Architecture = "Qwen3ForCausalLM",
        QueryKeyNorm = true,
        QueryKeyValueBias = true,
        AttentionOutputBias = true,
        TiedEmbeddings = true,
    };

    [Fact]
    public void A_drawn_model_depends_on_its_seed_alone_and_starts_as_announced()
    {
        using Decoder one = TinyDecoder.Create(Everything), same = TinyDecoder.Create(Everything), other = TinyDecoder.Create(Everything, seed: 8);
        one.Parameters.Sum(p => p.Value.NumberOfElements).ShouldBe(Everything.ParameterCount);
        foreach (var (name, value) in one.Parameters)
        {
            TinyModel.Same(value, same.Parameters[name]).ShouldBeTrue(name);
            using var mean = value.mean();
            if (name.EndsWith("norm.weight", StringComparison.Ordinal)) value.Is(1).all().item<bool>().ShouldBeTrue(name);
            else if (name.EndsWith(".bias", StringComparison.Ordinal)) value.Is(0).all().item<bool>().ShouldBeTrue(name);
            else
            {
                TinyModel.Same(value, other.Parameters[name]).ShouldBeFalse(name);
                value.std().item<float>().ShouldBe(0.3f, 0.05f, name);
            }
        }
    }

    [Theory]
    [MemberData(nameof(TinyModel.Names), MemberType = typeof(TinyModel))]
    [Trait("Category", "Fixtures")]
    public void A_model_that_was_saved_loads_with_the_same_bits(string name)
    {
        using var folder = new TemporaryFolder();
        using var original = Decoder.Load(TinyModel.Folder(name), CPU);
        original.Save(folder.Path);
        using var copy = Decoder.Load(folder.Path, CPU);
        copy.DataType.ShouldBe(original.DataType);
        copy.Parameters.Keys.ShouldBe(original.Parameters.Keys);
        foreach (var (key, value) in original.Parameters) TinyModel.Same(copy.Parameters[key], value).ShouldBeTrue(key);
        original.Parameters.Sum(p => p.Value.NumberOfElements).ShouldBe(original.Config.ParameterCount);
    }

    [Fact]
    public void Tensors_that_do_not_fit_the_config_are_all_listed()
    {
        using var folder = new TemporaryFolder();
        using (var decoder = TinyDecoder.Create(TinyDecoder.Llama)) decoder.Save(folder.Path);
        using var source = ShardedSafetensors.OpenFolder(folder.Path);
        var config = TinyDecoder.Llama with { LayerCount = 1, IntermediateSize = 41, QueryKeyValueBias = true };
        var error = Should.Throw<WeightsMismatchException>(() => Decoder.Load(source, config, CPU, float32));
        error.Missing.ShouldBe(["model.layers.0.self_attn.k_proj.bias", "model.layers.0.self_attn.q_proj.bias", "model.layers.0.self_attn.v_proj.bias"]);
        error.Unexpected.Count.ShouldBe(9);
        error.Unexpected.ShouldAllBe(name => name.StartsWith("model.layers.1."));
        error.Wrong.Count.ShouldBe(3);
        error.Wrong.ShouldContain("model.layers.0.mlp.down_proj.weight is [32, 40], the config asks for [32, 41]");
        error.Message.ShouldContain("9 unexpected");
        foreach (var name in error.Missing.Concat(error.Unexpected).Concat(error.Wrong)) error.Message.ShouldContain(name);
        error.ExitCode.ShouldBe(2);
    }

    [Fact]
    public void A_stored_copy_of_a_tied_head_and_rotary_tables_are_let_pass()
    {
        using var folder = new TemporaryFolder();
        using var decoder = TinyDecoder.Create(Everything);
        decoder.Save(folder.Path);
        var writer = new SafetensorsWriter();
        foreach (var (name, value) in decoder.Parameters) writer.Add(name, value);
        writer.Add("lm_head.weight", decoder.Parameters["model.embed_tokens.weight"]);
        writer.Add("model.layers.0.self_attn.rotary_emb.inv_freq", decoder.Parameters["model.norm.weight"]);
        writer.Save(folder.File("model.safetensors"));
        using var loaded = Decoder.Load(folder.Path, CPU);
        loaded.Parameters.Count.ShouldBe(decoder.Parameters.Count);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.03, new[] { 5, 2 })]
    [InlineData(ScalarType.BFloat16, 0.03, new[] { 2, 1 })]
    [InlineData(ScalarType.Float16, 0.01, new[] { 5, 2 })]
    public void Narrow_types_compute_about_the_same(ScalarType type, double tolerance, int[] lengths)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using Decoder wide = TinyDecoder.Create(Everything), narrow = Decoder.Initialize(Everything, 7, CPU, type);
        using var layout = TokenLayout.FromLengths(lengths, CPU);
        var ids = ScalarOperations.Counting(layout.TokenCount, int64).Plus(1L);
        var h = narrow.Forward(ids, layout);
        h.dtype.ShouldBe(type);
        var expected = wide.Forward(ids, layout);
        ((h.to(float32) - expected).norm() / expected.norm()).item<float>().ShouldBeLessThan((float)tolerance);
    }

    [Fact]
    public void Weights_are_frozen_until_they_are_made_trainable()
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyDecoder.Create(Everything);
        using var layout = TokenLayout.FromLengths([3, 2], CPU);
        var ids = tensor(new long[] { 1, 2, 3, 4, 5 });
        decoder.Logits(decoder.Forward(ids, layout)).requires_grad.ShouldBeFalse();

        decoder.SetTrainable(true);
        decoder.Logits(decoder.Forward(ids, layout)).Squared().sum().backward();
        foreach (var (name, value) in decoder.Parameters)
        {
            value.grad.ShouldNotBeNull(name).abs().sum().item<float>().ShouldBeGreaterThan(0, name);
        }
    }

    [Fact]
    public void An_adapter_reads_what_the_block_reads_and_its_result_is_added()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var decoder = TinyDecoder.Create(Everything);
        using var layout = TokenLayout.FromLengths([3, 1], CPU);
        var ids = tensor(new long[] { 1, 2, 3, 4 });
        var h = decoder.Embed(ids);
        var plain = decoder.ForwardLayer(1, h, layout);

        var adapter = new ScalingAdapter(layer: 1, scale: 0.5);
        var adapted = decoder.ForwardLayer(1, h, layout, adapter: adapter);
        var x = adapter.Seen.ShouldHaveSingleItem();
        x.shape.ShouldBe([4, 32]);
        TinyModel.Difference(adapted - plain, x.Times(0.5)).ShouldBeLessThan(1e-5);

        TinyModel.Same(decoder.ForwardLayer(0, h, layout, adapter: adapter), decoder.ForwardLayer(0, h, layout)).ShouldBeTrue();
        TinyModel.Same(decoder.Forward(ids, layout, adapter: new ScalingAdapter(layer: 1, scale: 0)), decoder.Forward(ids, layout)).ShouldBeTrue();
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        using var decoder = TinyDecoder.Create(Everything with { SlidingWindow = 2 });
        using var ids = tensor(new long[] { 1, 2, 3, 4, 5 });
        TinyDecoder.LiveTensorsAdded(() =>
        {
            using var layout = TokenLayout.FromLengths([3, 2], CPU);
            using var noGradients = no_grad();
            decoder.Forward(ids, layout).Dispose();
        }).ShouldBe(0);
        TinyDecoder.LiveTensorsAdded(() =>
        {
            using var scope = NewDisposeScope();
            using var layout = TokenLayout.FromLengths([3, 2], CPU);
            var h = decoder.Embed(ids).detach().requires_grad_();
            decoder.ForwardEmbedded(h, layout).sum().backward();
            h.grad.ShouldNotBeNull();
        }).ShouldBe(0);
        TinyDecoder.LiveTensorsAdded(() => TinyDecoder.Create(Everything).Dispose()).ShouldBe(0);
    }

    private sealed class ScalingAdapter(int layer, double scale) : IFeedForwardAdapter
    {
        public List<Tensor> Seen { get; } = [];

        public bool Adapts(int index) => index == layer;

        public Tensor Apply(int index, Tensor x)
        {
            Seen.Add(x.clone().MoveToOuterDisposeScope());
            return x.Times(scale);
        }
    }
}
