using System.Text.Json.Nodes;
using CsCheck;
using Meft.Adapters.Lora;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Models;
using Meft.Tests.Models;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters.Lora;

public sealed class LoraFilesTests : IDisposable
{
    private static readonly ModelConfig Base = TinyDecoder.Llama;

    private static readonly LoraSettings Settings = new()
    {
        Rank = 3,
        Alpha = 1.5,
        Rslora = true,
        Dropout = 0.25,
        Targets = new TargetSelection.Named(["q_proj", "down_proj"]),
        Layers = [1],
        RankPattern = [new(@"mlp\.down_proj", 2), new(".*", 3)],
        AlphaPattern = [new("q_proj", 4)],
    };

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void What_was_saved_is_loaded_with_its_numbers_and_settings()
    {
        using var adapter = Save(Settings);
        using var loaded = LoraFiles.Load(_folder.Path, Base, CPU);
        loaded.Spec.Dropout.ShouldBe(0.25);
        loaded.Spec.Maps.ShouldBe(adapter.Spec.Maps);
        foreach (var (a, b) in adapter.Parameters.Zip(loaded.Parameters))
        {
            b.Key.ShouldBe(a.Key);
            TinyModel.Same(a.Value, b.Value).ShouldBeTrue(a.Key);
        }
        var settings = PeftLoraConfig.Read(_folder.Path).Settings;
        settings.RankPattern.ShouldBe(Settings.RankPattern);
        settings.AlphaPattern.ShouldBe(Settings.AlphaPattern);
        settings.Layers.ShouldBe(Settings.Layers);
        settings.Targets.ShouldBe(Settings.Targets);
    }

    [Fact]
    public void Keys_that_are_not_known_are_kept()
    {
        using var adapter = Save(Settings);
        Change(json => json["a_key_of_tomorrow"] = new JsonObject { ["x"] = 1.50m });
        var before = File.ReadAllText(_folder.File("adapter_config.json"));
        LoraFiles.Save(adapter, PeftLoraConfig.Read(_folder.Path), _folder.File("again"));
        JsonNode.DeepEquals(JsonNode.Parse(File.ReadAllText(_folder.File("again/adapter_config.json"))), JsonNode.Parse(before)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float64)]
    public void Numbers_of_another_type_become_float32_as_PEFT_has_them(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var adapter = Save(Settings);
        var writer = new SafetensorsWriter();
        foreach (var (name, tensor) in adapter.Parameters) writer.Add(name, tensor.to(type));
        writer.Save(_folder.File("adapter_model.safetensors"));
        using var loaded = LoraFiles.Load(_folder.Path, Base, CPU);
        foreach (var (a, b) in adapter.Parameters.Zip(loaded.Parameters)) TinyModel.Same(a.Value.to(type).to(float32), b.Value).ShouldBeTrue(a.Key);
    }

    [Fact]
    public void A_base_it_does_not_fit_is_refused_with_both_values()
    {
        Save(Settings).Dispose();
        Refused(Base with { HiddenSize = 64, HeadSize = 16 }).ShouldContain("is [3, 32], wanted is [3, 64]");
        Refused(Base with { IntermediateSize = 44 }).ShouldContain("is [2, 40], wanted is [2, 44]");
        Refused(Base with { LayerCount = 1 }).ShouldContain("has layer 1 and the base model has 1 layers");
        Refused(Base with { LayerCount = 1 }).ShouldContain("use the base it was trained on: models/base");
    }

    [Fact]
    public void Tensors_that_are_not_those_of_the_config_are_named()
    {
        Save(Settings).Dispose();
        Change(json => json["r"] = 5);
        Change(json => json["rank_pattern"] = new JsonObject());
        Refused().ShouldContain("is [3, 32], wanted is [5, 32]");
        Save(Settings).Dispose();
        Change(json => json["target_modules"] = new JsonArray("q_proj"));
        Refused().ShouldContain("2 tensors that adapter_config.json does not speak of");
        Change(json => json["target_modules"] = new JsonArray("q_proj", "down_proj", "up_proj"));
        Refused().ShouldContain("'base_model.model.model.layers.1.mlp.up_proj.lora_A.weight' is missing");
        Change(json => json["target_modules"] = new JsonArray("c_attn"));
        Refused().ShouldContain("match no linear map");
        File.Delete(_folder.File("adapter_model.safetensors"));
        Refused().ShouldContain("no adapter_model.safetensors");
    }

    [Theory]
    [InlineData("use_dora", "true")]
    [InlineData("bias", "\"all\"")]
    [InlineData("lora_bias", "true")]
    [InlineData("modules_to_save", "[\"lm_head\"]")]
    [InlineData("layer_replication", "[[0, 2]]")]
    [InlineData("trainable_token_indices", "[1]")]
    [InlineData("target_parameters", "[\"x\"]")]
    [InlineData("init_lora_weights", "\"pissa\"")]
    [InlineData("alora_invocation_tokens", "[1, 2]")]
    public void What_would_compute_something_else_is_refused(string key, string value)
    {
        Save(Settings).Dispose();
        Change(json => json[key] = JsonNode.Parse(value));
        Refused().ShouldContain($"'{key}' is {JsonNode.Parse(value)!.ToJsonString()}");
    }

    [Theory]
    [InlineData("r", "0")]
    [InlineData("r", "\"8\"")]
    [InlineData("r", "1e30")]
    [InlineData("lora_alpha", "\"x\"")]
    [InlineData("lora_dropout", "1.0")]
    [InlineData("use_rslora", "1")]
    [InlineData("target_modules", "null")]
    [InlineData("target_modules", "[1]")]
    [InlineData("layers_to_transform", "[-1]")]
    [InlineData("layers_pattern", "{}")]
    [InlineData("rank_pattern", "{\"a\": 0}")]
    [InlineData("rank_pattern", "[]")]
    [InlineData("alpha_pattern", "{\"a\": \"b\"}")]
    [InlineData("base_model_name_or_path", "3")]
    public void Values_of_the_wrong_kind_are_named_with_their_file(string key, string value)
    {
        Save(Settings).Dispose();
        Change(json => json[key] = JsonNode.Parse(value));
        var error = Refused();
        error.ShouldContain($"'{key}' is");
        error.ShouldContain("adapter_config.json");
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"peft_type\": \"LORA\", \"r\": 1, \"r\": 2}")]
    [InlineData("{\"peft_type\": \"LORA\"}")]
    [InlineData("{\"peft_type\": 3}")]
    [InlineData("{\"peft_type\": \"LORA\", \"r\": 8, \"target_modules\": \"\\ud800\"}")]
    [InlineData("{\"peft_type\": \"LORA\", \"\\ud800\": 8}")]
    public void A_config_that_is_none_is_refused(string text)
    {
        Save(Settings).Dispose();
        _folder.Write("adapter_config.json", text);
        Refused().ShouldContain("adapter_config.json");
    }

    [Fact]
    public void An_expression_in_a_file_that_is_none_or_takes_forever_is_refused()
    {
        Save(Settings).Dispose();
        Change(json => json["layers_to_transform"] = null);
        Change(json => json["target_modules"] = "(((");
        Refused().ShouldContain("no regular expression");
        Change(json => json["target_modules"] = "(([a-z]+[._0-9]*)+)+!");
        Refused().ShouldContain("takes too long");
    }

    [Fact]
    public void A_config_changed_at_random_is_read_or_refused()
    {
        Save(Settings).Dispose();
        var text = File.ReadAllText(_folder.File("adapter_config.json"));
        var edit = Gen.Select(Gen.Int[0, text.Length - 1], Gen.Char["{}[]\",:.\\-+019eEnullqdpu*() \t"]);
        edit.Array[1, 4].Sample(
            edits =>
            {
                var changed = text.ToCharArray();
                foreach (var (at, with) in edits) changed[at] = with;
                _folder.Write("adapter_config.json", new string(changed));
                try
                {
                    LoraFiles.Load(_folder.Path, Base, CPU).Dispose();
                }
                catch (InvalidInputException e)
                {
                    e.Message.ShouldNotBeEmpty();
                }
            },
            iter: 1500, threads: 1);
    }

    [Fact]
    public void Loading_leaves_no_tensor_behind_whether_it_succeeds_or_not()
    {
        Save(Settings).Dispose();
        TinyDecoder.LiveTensorsAdded(() => LoraFiles.Load(_folder.Path, Base, CPU).Dispose()).ShouldBe(0);
        TinyDecoder.LiveTensorsAdded(() => Refused(Base with { LayerCount = 1 })).ShouldBe(0);
    }

    public void Dispose() => _folder.Dispose();

    private LoraAdapter Save(LoraSettings settings)
    {
        var adapter = new LoraAdapter(settings.Resolve(Base), CPU).Initialize(3);
        LoraFiles.Save(adapter, PeftLoraConfig.Create(settings, "models/base"), _folder.Path);
        return adapter;
    }

    private void Change(Action<JsonObject> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!.AsObject();
        change(json);
        _folder.Write("adapter_config.json", json.ToJsonString());
    }

    private string Refused(ModelConfig? config = null) =>
        Should.Throw<InvalidInputException>(() => LoraFiles.Load(_folder.Path, config ?? Base, CPU)).Message;
}
