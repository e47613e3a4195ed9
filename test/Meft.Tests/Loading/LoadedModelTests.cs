using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Adapters;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.Safetensors;
using Meft.Core.Tokenization;
using Meft.Loading;
using Meft.Models;
using Meft.Tests.Models;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Loading;

public sealed class LoadedModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _model;

    public LoadedModelTests()
    {
        _model = _folder.File("model");
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama with { EndTokens = [3] });
        decoder.Save(_model);
    }

    [Fact]
    public void A_folder_gives_a_model_with_its_limits()
    {
        var told = new List<LoadProgress>();
        using var model = Load(new ModelLoadOptions { Progress = told.Add });
        (model.Limits.VocabularySize, model.Limits.MaxPositions, model.Limits.EndToken).ShouldBe((48, 64, 3));
        model.Defaults.EndTokens.ShouldBe([3]);
        model.Decoder.DataType.ShouldBe(ScalarType.Float32);
        model.Adapter.ShouldBeNull();
        told[^1].BytesRead.ShouldBe(told[^1].TotalBytes);
        told.Select(t => t.BytesRead).ShouldBe(told.Select(t => t.BytesRead).Order());
    }

    [Fact]
    public void The_progress_counts_what_is_read_once_or_twice()
    {
        using (var decoder = TinyDecoder.Create(TinyDecoder.Llama with { TiedEmbeddings = true }))
        {
            decoder.Save(_model);
            var writer = new SafetensorsWriter();
            foreach (var (name, value) in decoder.Parameters) writer.Add(name, value);
            writer.Add("lm_head.weight", decoder.Parameters["model.embed_tokens.weight"]);
            writer.Save(Path.Combine(_model, ShardedSafetensors.SingleFileName));
        }
        foreach (var options in new[] { new ModelLoadOptions(), new ModelLoadOptions { Quantize = Quantization.Nf4 }, new ModelLoadOptions { Base = BasePlacement.Streamed } })
        {
            LoadProgress last = default;
            using var model = Load(options with { Progress = told => last = told });
            // The head is tied: its copy is compared with the embedding, which is read once more for it.
            last.TotalBytes.ShouldBe(4 * (model.Config.ParameterCount + 2L * model.Config.VocabularySize * model.Config.HiddenSize));
            last.BytesRead.ShouldBe(last.TotalBytes);
        }
    }

    [Fact]
    public void An_end_beyond_the_vocabulary_is_refused_with_both_values()
    {
        File.WriteAllText(Path.Combine(_model, "generation_config.json"), """{"eos_token_id": [49, 48]}""");
        var error = Should.Throw<InvalidInputException>(() => Load(new ModelLoadOptions()));
        error.Message.ShouldStartWith($"{_model}: eos_token_id is 49, 48 and vocab_size 48: no answer could end");
        File.WriteAllText(Path.Combine(_model, "generation_config.json"), """{"eos_token_id": [3, 48]}""");
        Load(new ModelLoadOptions()).Dispose();
    }

    [Theory]
    [InlineData(BaseDType.Auto, ScalarType.Float32)]
    [InlineData(BaseDType.Fp32, ScalarType.Float32)]
    [InlineData(BaseDType.Bf16, ScalarType.BFloat16)]
    public void The_type_is_the_one_asked_for(BaseDType wanted, ScalarType type)
    {
        using var model = Load(new ModelLoadOptions { DType = wanted });
        model.Decoder.DataType.ShouldBe(type);
    }

    [Fact]
    public void A_tokenizer_is_missed_only_when_it_is_used()
    {
        using var model = Load(new ModelLoadOptions());
        model.HasTokenizer.ShouldBeFalse();
        Should.Throw<TokenizerFileException>(() => model.Tokenizer.Encode("a", addSpecialTokens: true)).Message.ShouldContain("tokenizer.json");
    }

    [Fact]
    public void An_adapter_comes_along_and_one_that_does_not_fit_is_refused()
    {
        using (var model = Load(new ModelLoadOptions { Adapter = WriteAdapter(32) }))
            model.Adapter.ShouldNotBeNull().Adapts(1).ShouldBeTrue();
        Refused(new ModelLoadOptions { Adapter = WriteAdapter(16) }).ShouldContain("its hidden size is 16, wanted is 32");
        Refused(new ModelLoadOptions { Adapter = _model }).ShouldContain("no adapter_config.json");
        Refused(new ModelLoadOptions { Adapter = _folder.Path }).ShouldContain($"Did you mean {_folder.File("adapter")}?");
    }

    [Fact]
    public void A_LoRA_adapter_comes_along_too()
    {
        using var model = Load(new ModelLoadOptions { Adapter = WriteLora() });
        model.Adapter.ShouldBeOfType<LoraAdapter>().Adapts(1).ShouldBeTrue();
        var with = model.CreateScorer().Score([new([1, 2, 3])])[0].Nll;
        using var plain = Load(new ModelLoadOptions());
        Math.Abs(with - plain.CreateScorer().Score([new([1, 2, 3])])[0].Nll).ShouldBeGreaterThan(1e-3);
    }

    [Fact]
    public void An_adapter_of_an_unknown_kind_is_refused_with_the_known_ones()
    {
        _folder.Write("other/adapter_config.json", "{\"peft_type\": \"IA3\"}");
        Refused(new ModelLoadOptions { Adapter = _folder.File("other") }).ShouldContain("peft_type is IA3");
        Refused(new ModelLoadOptions { Adapter = _folder.File("other") }).ShouldContain("MEFT | LORA");
        _folder.Write("other/adapter_config.json", "{}");
        Refused(new ModelLoadOptions { Adapter = _folder.File("other") }).ShouldContain("'peft_type' is missing");
    }

    [Theory]
    [InlineData(BaseDType.Fp32, 1e-5)]
    [InlineData(BaseDType.Bf16, 0.03)]
    public void A_merged_model_is_a_folder_in_the_type_of_its_base_and_computes_the_same(BaseDType type, double tolerance)
    {
        double with;
        using (var model = Load(new ModelLoadOptions { Adapter = WriteLora(), DType = type }))
        {
            with = model.CreateScorer().Score([new([1, 2, 3, 4, 5])])[0].Nll;
            MergedModel.Write(model, _folder.File("merged"));
        }
        using var merged = LoadedModel.Load(_folder.File("merged"), cancellation: TestContext.Current.CancellationToken);
        merged.Decoder.DataType.ShouldBe(type == BaseDType.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32);
        merged.CreateScorer().Score([new([1, 2, 3, 4, 5])])[0].Nll.ShouldBe(with, tolerance * with);
    }

    [Fact]
    public void Weights_that_merging_makes_infinite_are_not_written()
    {
        using var model = Load(new ModelLoadOptions { Adapter = WriteLora(float.PositiveInfinity) });
        Should.Throw<RunFailedException>(() => MergedModel.Write(model, _folder.File("merged"))).Message.ShouldContain("model.layers.0.self_attn.q_proj");
        Directory.Exists(_folder.File("merged")).ShouldBeFalse();
    }

    [Fact]
    public void What_is_no_model_is_refused_with_a_way_on()
    {
        Refusal(_folder.File("modl")).ShouldContain($"there is no such model");
        Refusal(_folder.File("modl")).ShouldEndWith($"Did you mean {_model}?");
        Refusal(Path.Combine(_model, "model.safetensors")).ShouldContain($"the file is no model");
        Refusal(_folder.Path).ShouldEndWith($"Did you mean {_model}?");
        Refusal(_folder.Write("lone/model.gguf", "GGUF")).ShouldContain("lone/model.gguf, byte 4: the file ends within the version");
        Refused(new ModelLoadOptions { Device = "cuda:x" }).ShouldContain("the device 'cuda:x' is not known");
    }

    [Fact]
    public void Loading_stops_when_asked_to_and_leaves_no_tensor()
    {
        using var source = new CancellationTokenSource();
        var options = new ModelLoadOptions { Progress = _ => source.Cancel() };
        TinyDecoder.LiveTensorsAdded(() => Should.Throw<OperationCanceledException>(() => LoadedModel.Load(_model, options, source.Token))).ShouldBe(0);
    }

    [Fact]
    public void A_model_that_was_used_and_disposed_leaves_no_tensor() =>
        TinyDecoder.LiveTensorsAdded(() =>
        {
            foreach (var adapter in new[] { WriteAdapter(32), WriteLora() })
            {
                using var model = Load(new ModelLoadOptions { Adapter = adapter, DType = BaseDType.Bf16 });
                model.CreateScorer().Score([new([1, 2, 3])]);
            }
        }).ShouldBe(0);

    public void Dispose() => _folder.Dispose();

    private string WriteLora(float b = 0.2f)
    {
        var folder = _folder.File("lora");
        var settings = new LoraSettings { Rank = 3, Alpha = 6, Targets = new TargetSelection.Named(["q_proj", "up_proj"]) };
        using var adapter = new LoraAdapter(settings.Resolve(TinyDecoder.Llama), CPU).Initialize(5);
        foreach (var (name, tensor) in adapter.Parameters)
        {
            if (name.Contains("lora_B", StringComparison.Ordinal)) tensor.FillWith(b);
        }
        LoraFiles.Save(adapter, PeftLoraConfig.Create(settings, "model"), folder);
        return folder;
    }

    private string WriteAdapter(int hiddenSize)
    {
        var folder = _folder.File("adapter");
        using var adapter = new SparseAdapter(new SparseAdapterSpec(8, hiddenSize, 2, 1, 4, GateKind.Linear, [1])).Initialize(5);
        var config = TinyDecoder.Llama with { HiddenSize = hiddenSize };
        SparseAdapterFiles.Save(adapter, new AdapterIdentity("model", BaseFingerprint.Of(config), null), folder);
        return folder;
    }

    private LoadedModel Load(ModelLoadOptions options) => LoadedModel.Load(_model, options, TestContext.Current.CancellationToken);

    private string Refused(ModelLoadOptions options) => Should.Throw<InvalidInputException>(() => Load(options)).Message;

    private static string Refusal(string path) => Should.Throw<InvalidInputException>(() => LoadedModel.Load(path, cancellation: TestContext.Current.CancellationToken)).Message;
}
