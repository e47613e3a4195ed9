using Meft.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Memory;
using Meft.Models;
using Meft.Models.Quantized;
using Meft.Tests.Training;
using Meft.TestSupport;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

/// <summary>A quantised base against a plain one of the weights that it holds.</summary>
public class QuantizedDecoderTests
{
    // Two rows of blocks and a part of one in every row.
    private static readonly ModelConfig Config = TinyTask.Config with { HiddenSize = 80, IntermediateSize = 150, QueryKeyValueBias = true, LayerCount = 4 };

    public static TheoryData<Quantization, ScalarType> Forms => new()
    {
        { Quantization.Int8, ScalarType.Float32 },
        { Quantization.Nf4, ScalarType.Float32 },
        { Quantization.Int8, ScalarType.BFloat16 },
        { Quantization.Nf4, ScalarType.BFloat16 },
        { Quantization.Int8, ScalarType.Float16 },
        { Quantization.Nf4, ScalarType.Float16 },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void It_trains_as_a_plain_base_of_its_weights_does(Quantization quantize, ScalarType type)
    {
        using var bases = new QuantizedBases(quantize, type, Config);
        var (quantized, plain) = (Train(bases.Quantized, out var loss), Train(bases.Plain, out var plainLoss));
        loss.ShouldBe(plainLoss, type == ScalarType.Float32 ? 1e-5 : 1e-2);
        var (a, b) = (tensor(quantized), tensor(plain));
        TorchTest.RelativeError(a, b).ShouldBeLessThan(type == ScalarType.Float32 ? 1e-3 : 0.1);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_streamed_one_trains_to_the_same_bits(Quantization quantize, ScalarType type)
    {
        using var bases = new QuantizedBases(quantize, type, Config);
        Train(bases.Streamed, out _).ShouldBe(Train(bases.Quantized, out _, recompute: true));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void It_generates_the_hidden_states_of_a_plain_base_of_its_weights(Quantization quantize, ScalarType type)
    {
        using var bases = new QuantizedBases(quantize, type, Config);
        ShouldGenerateAlike(bases, Config, type);
    }

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Every_family_generates_the_hidden_states_of_a_plain_base_of_its_weights(string family)
    {
        var config = RandomFamilies.Create(family, seed: 5);
        using var bases = new QuantizedBases(Quantization.Nf4, ScalarType.BFloat16, config);
        ShouldGenerateAlike(bases, config, ScalarType.BFloat16);
    }

    private static void ShouldGenerateAlike(QuantizedBases bases, ModelConfig config, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        Step(bases.Quantized).equal(Step(bases.Plain)).all().item<bool>().ShouldBeTrue();
        Step(bases.Streamed).equal(Step(bases.Plain)).all().item<bool>().ShouldBeTrue();

        Tensor Step(Decoder decoder)
        {
            using var cache = new KeyValueCache(config, 2, 8, CPU, type);
            using var first = cache.Next([3, 2]);
            decoder.Forward(tensor(new long[] { 1, 2, 3, 4, 5 }), first, cache).Dispose();
            using var second = cache.Next([1, 1]);
            return decoder.Forward(tensor(new long[] { 6, 7 }), second, cache);
        }
    }

    [Fact]
    public void It_is_near_the_base_that_it_was_made_of()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var layout = TokenLayout.FromLengths([5], CPU);
        // Weights so small that a layer makes no difference larger than it is: those of maps behind one another, three a layer, then add like noise.
        var config = Config with { InitializerRange = 0.05 };
        foreach (var quantize in new[] { Quantization.Int8, Quantization.Nf4 })
        {
            using var bases = new QuantizedBases(quantize, ScalarType.Float32, config);
            var ids = tensor(new long[] { 1, 2, 3, 4, 5 });
            const string map = "model.layers.1.mlp.up_proj.weight";
            var ofWeights = TorchTest.RelativeError(bases.Plain.Parameters[map], bases.Original.Parameters[map]);
            ofWeights.ShouldBeLessThan(quantize == Quantization.Int8 ? 0.01 : 0.12);
            TorchTest.RelativeError(bases.Quantized.Forward(ids, layout), bases.Original.Forward(ids, layout))
                .ShouldBeInRange(ofWeights / 10, Math.Sqrt(3 * config.LayerCount) * ofWeights);
        }
    }

    [Theory]
    [InlineData(Quantization.Int8, 68)]
    [InlineData(Quantization.Nf4, 33)]
    public void Its_bytes_are_counted(Quantization quantize, int blockBytes)
    {
        using var bases = new QuantizedBases(quantize, ScalarType.BFloat16, Config);
        var ledger = new MemoryLedger();
        bases.Quantized.CountIn(ledger);
        long blocks = 0, groups = 0, plain = 0;
        foreach (var spec in HuggingFaceWeightNames.Of(Config))
        {
            if (!QuantizedWeights.MayBe(spec))
            {
                plain += 2 * spec.ElementCount;
                continue;
            }
            var ofMatrix = spec.Shape[0] * ((spec.Shape[1] + 63) / 64);
            blocks += ofMatrix;
            groups += quantize == Quantization.Nf4 ? sizeof(float) * ((ofMatrix + 255) / 256 + 1) : 0;
        }
        // What fills the scales' bytes up to whole float32 numbers.
        var matrices = 7 * Config.LayerCount;
        ledger.DeviceByCause[DeviceUse.BaseWeights].ShouldBeInRange(plain + blocks * blockBytes + groups, plain + blocks * blockBytes + groups + 3 * matrices);
        ledger.DeviceByCause[DeviceUse.DequantizedPanel].ShouldBe(2 * 150 * 80);
    }

    [Fact]
    public void It_is_frozen_and_not_saved()
    {
        using var bases = new QuantizedBases(Quantization.Int8, ScalarType.Float32, Config);
        Should.Throw<InvalidOperationException>(() => bases.Quantized.SetTrainable(true));
        Should.Throw<InvalidOperationException>(() => bases.Quantized.Save(Path.GetTempPath()));
    }

    [Theory]
    [InlineData(Quantization.Int8)]
    [InlineData(Quantization.Nf4)]
    public void Weights_that_are_not_finite_are_refused_by_name(Quantization quantize)
    {
        using var folder = new TemporaryFolder();
        using (var decoder = Decoder.Initialize(Config, 7, CPU, ScalarType.Float32))
        {
            using var row = decoder.Parameters["model.layers.1.mlp.up_proj.weight"][3];
            row.FillWith(float.NaN);
            decoder.Save(folder.Path);
        }
        using var source = ShardedSafetensors.OpenFolder(folder.Path);
        Should.Throw<InvalidInputException>(() => Decoder.Load(source, Config, CPU, ScalarType.Float32, quantize))
            .Message.ShouldContain("model.layers.1.mlp.up_proj.weight");
    }

    private static float[] Train(Decoder decoder, out double loss, bool recompute = false)
    {
        var spec = TinyTask.Spec with { HiddenSize = Config.HiddenSize, Layers = [1, 3] };
        using var method = new SparseAdapterMethod(new SparseAdapter(spec).Initialize(seed: 3), OptimizerRows.Touched, TinyTask.Identity);
        var runner = new StepRunner(decoder, method, new OptimizerConfig(), new MemoryLedger(), recompute);
        loss = 0;
        for (var step = 1; step <= 3; step++) loss = runner.Run([TinyTask.Rows(5, seed: step)], 0.01, step).Loss;
        return TinyTask.Bits(method);
    }
}
