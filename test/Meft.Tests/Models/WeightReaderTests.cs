using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Models;
using Meft.Native;
using Meft.TestSupport;
using Shouldly;
using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>What loading takes beside the weights, seen by what is written where: memory of a process would tell of others too.</summary>
public sealed class WeightReaderTests : IDisposable
{
    /// <summary>An embedding of more than one piece.</summary>
    private static readonly ModelConfig Tied = TinyDecoder.Llama with { VocabularySize = 70_000, TiedEmbeddings = true };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<ScalarType, ScalarType> Types => new(
        from stored in new[] { ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16 }
        from held in new[] { ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16 }
        select (stored, held));

    [Theory]
    [MemberData(nameof(Types))]
    public void Numbers_go_straight_into_the_tensors_that_stay_as_torch_would_convert_them(ScalarType stored, ScalarType held)
    {
        foreach (var config in new[] { Tied, TinyDecoder.Llama })
        {
            using var original = Write(config, stored);
            using var source = Open();
            var before = Live();
            using var loaded = Decoder.Load(source, config, CPU, held);
            loaded.Parameters.Keys.ShouldBe(original.Parameters.Keys);
            foreach (var (name, parameter) in loaded.Parameters)
            {
                using var expected = original.Parameters[name].to(held);
                TinyModel.Same(parameter, expected).ShouldBeTrue(name);
            }
            ShouldFill(loaded.Parameters, source);
            // The tensors that are there by then and the one that is being filled: nothing else lives at any time.
            var names = source.Copies.Select(c => c.Name).Distinct().ToList();
            source.Copies.ShouldAllBe(copy => copy.LiveTensors - before == names.IndexOf(copy.Name) + 1);
        }
    }

    [Fact]
    public void A_streamed_base_is_read_into_the_blocks_that_its_layers_wait_in()
    {
        using var original = Write(Tied, ScalarType.BFloat16);
        using var source = Open();
        using var loaded = Decoder.LoadStreamed(source, Tied, CPU, ScalarType.Float32);
        ShouldFill(loaded.Parameters, source);
        foreach (var (name, parameter) in loaded.Parameters)
        {
            using var expected = original.Parameters[name].to(ScalarType.Float32);
            TinyModel.Same(parameter, expected).ShouldBeTrue(name);
        }
    }

    [Theory]
    [InlineData(Quantization.Int8)]
    [InlineData(Quantization.Nf4)]
    public void What_is_quantised_waits_in_small_pieces(Quantization quantize)
    {
        // A map of 8 MiB as float32, which no buffer holds at once.
        var config = TinyDecoder.Llama with { IntermediateSize = 65_536, LayerCount = 1 };
        foreach (var (stored, held) in new[] { (ScalarType.Float32, ScalarType.BFloat16), (ScalarType.BFloat16, ScalarType.BFloat16) })
        {
            using var original = Write(config, stored);
            using var source = Open();
            var before = Live();
            using var loaded = Decoder.Load(source, config, CPU, held, quantize);
            source.Copies.ShouldAllBe(copy => copy.Bytes <= WeightReader.PieceBytes);
            var buffers = stored == held ? 1 : 2;
            source.Copies.ShouldAllBe(copy => copy.LiveTensors - before <= loaded.Parameters.Count + buffers);
            source.Copies.Count(c => c.Name.EndsWith("mlp.down_proj.weight", StringComparison.Ordinal)).ShouldBeGreaterThanOrEqualTo(2);

            // The same blocks as of the whole matrix in the model's type.
            using var rounded = Decoder.Load(Open(), config, CPU, held);
            using var other = new TemporaryFolder();
            rounded.Save(other.Path);
            using var file = ShardedSafetensors.OpenFolder(other.Path);
            using var again = Decoder.Load(file, config, CPU, held, quantize);
            foreach (var (name, parameter) in loaded.Parameters) TinyModel.Same(parameter, again.Parameters[name]).ShouldBeTrue(name);
        }
    }

    [Fact]
    public void A_weight_of_another_device_goes_there_by_a_small_buffer()
    {
        using var decoder = Write(Tied, ScalarType.Float32);
        using var source = Open();
        using var reader = new WeightReader(source, ScalarType.BFloat16);
        foreach (var (name, value) in decoder.Parameters)
        {
            using var target = empty(value.shape, ScalarType.BFloat16);
            reader.ReadBy(name, target);
            using var expected = value.to(ScalarType.BFloat16);
            TinyModel.Same(target, expected).ShouldBeTrue(name);
        }
        source.Copies.ShouldAllBe(copy => copy.Bytes <= WeightReader.PieceBytes);
    }

    [Fact]
    public void Tensors_are_read_in_the_order_in_which_they_lie()
    {
        using var decoder = Write(TinyDecoder.Llama with { LayerCount = 11 }, ScalarType.Float32);
        using var source = Open();
        using var loaded = Decoder.Load(source, decoder.Config, CPU, ScalarType.Float32);
        var offsets = source.Copies.Select(c => source.Tensors[c.Name].Offset).ToList();
        offsets.ShouldBe(offsets.Order());
    }

    [Fact]
    public void A_model_that_cannot_be_read_to_its_end_leaves_no_tensor()
    {
        using (var decoder = TinyDecoder.Create(TinyDecoder.Llama))
        {
            using var last = decoder.Parameters["model.layers.1.mlp.down_proj.weight"].detach();
            using var infinite = last.FillWith(float.PositiveInfinity);
            decoder.Save(_folder.Path);
        }
        foreach (var streamed in new[] { false, true })
        {
            TinyDecoder.LiveTensorsAdded(() =>
            {
                using var source = Open();
                Should.Throw<InvalidInputException>(() => streamed
                    ? Decoder.LoadStreamed(source, TinyDecoder.Llama, CPU, ScalarType.Float32, Quantization.Int8)
                    : Decoder.Load(source, TinyDecoder.Llama, CPU, ScalarType.Float32, Quantization.Int8)).Message.ShouldContain("not finite");
            }).ShouldBe(0);
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32, Quantization.None)]
    [InlineData(ScalarType.BFloat16, Quantization.None)]
    [InlineData(ScalarType.Float32, Quantization.Int8)]
    [InlineData(ScalarType.BFloat16, Quantization.Nf4)]
    public void A_weight_beyond_the_range_of_float16_is_refused_there_and_only_there(ScalarType stored, Quantization quantize)
    {
        const string name = "model.layers.1.mlp.down_proj.weight";
        using (var decoder = Decoder.Initialize(TinyDecoder.Llama, 7, CPU, stored))
        {
            using var weight = decoder.Parameters[name].detach();
            using var last = weight.view(-1).narrow(0, weight.numel() - 1, 1);
            using var large = last.FillWith(70_000);
            decoder.Save(_folder.Path);
        }
        using var source = Open();
        var error = Should.Throw<InvalidInputException>(() => Decoder.Load(source, TinyDecoder.Llama, CPU, ScalarType.Float16, quantize)).Message;
        foreach (var said in new[] { name, "65,504", stored == ScalarType.Float32 ? "F32" : "BF16", "bf16 or fp32" }) error.ShouldContain(said);
        Decoder.Load(source, TinyDecoder.Llama, CPU, ScalarType.BFloat16, quantize).Dispose();
        using var reader = new WeightReader(source, ScalarType.Float16);
        using var elsewhere = empty(source.Tensors[name].Shape.ToArray(), ScalarType.Float16);
        Should.Throw<InvalidInputException>(() => reader.ReadBy(name, elsewhere)).Message.ShouldBe(error);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>All bytes of all tensors were written by the source itself, each once.</summary>
    private static unsafe void ShouldFill(IReadOnlyDictionary<string, Tensor> parameters, RecordingSource source)
    {
        foreach (var (name, parameter) in parameters)
        {
            var address = (nint)TensorMemory.Pointer(parameter);
            foreach (var copy in source.Copies.Where(c => c.Name == name))
            {
                copy.Address.ShouldBe(address, name);
                address += (nint)copy.Bytes;
            }
            (address - (nint)TensorMemory.Pointer(parameter)).ShouldBe((nint)TensorMemory.ByteCount(parameter), name);
        }
    }

    private static long Live() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    private RecordingSource Open() => new(ShardedSafetensors.OpenFolder(_folder.Path));

    private Decoder Write(ModelConfig config, ScalarType type)
    {
        var decoder = Decoder.Initialize(config, 7, CPU, type);
        decoder.Save(_folder.Path);
        return decoder;
    }
}
