using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Planning;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Shouldly;

namespace Meft.Core.Tests.Formats.HuggingFace;

/// <summary>Changed config.json files: read, or refused with an error that names the file; never an overflow, a crash or memory that nothing explains.</summary>
public sealed class ModelConfigFuzzTests : IDisposable
{
    private static readonly string[] Configs =
    [
        Of("smollm3", """{"no_rope_layers": [1, 1, 0, 1], "use_sliding_window": true, "sliding_window": 8, "mlp_bias": true}"""),
        Of("olmo2", """{"attention_bias": true, "rope_theta": 500000}"""),
        Of("granite", """{"embedding_multiplier": 12, "attention_multiplier": 0.01, "residual_multiplier": 0.22, "logits_scaling": 8}"""),
        Of("phi3", """
            {"partial_rotary_factor": 0.5, "original_max_position_embeddings": 128,
             "rope_scaling": {"type": "longrope", "short_factor": [1, 1, 1, 2], "long_factor": [1, 2, 3.5, 4]}}
            """),
        Of("gemma", """{"num_key_value_heads": 2, "hidden_act": "gelu", "hidden_activation": null}"""),
        Of("gemma2", """
            {"query_pre_attn_scalar": 16, "attn_logit_softcapping": 50,
             "layer_types": ["full_attention", "sliding_attention", "full_attention", "sliding_attention"]}
            """),
        Of("gemma3_text", """
            {"rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8, "rope_theta": 1e6},
             "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}, "_sliding_window_pattern": 2}
            """),
        Of("qwen3", """
            {"use_sliding_window": true, "sliding_window": 4, "max_window_layers": 2,
             "rope_scaling": {"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 64, "beta_fast": 32, "beta_slow": 1}}
            """),
        Of("llama", """{"rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 64}}"""),
    ];

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "2", "3", "7", "0.5", "1e300", "1e-300", "-0.0", "2147483647", "2147483646", "4294967296", "1e999", "\"\"", "\"x\"",
        "[]", "{}", "[1]", "[0]", "[null]", "[1e300]", "[\"sliding_attention\"]", "{\"rope_type\":\"yarn\"}", "{\"rope_type\":\"longrope\"}",
    ];

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Changed_bytes() => ReaderFuzz.Run(
        _folder.File("config.json"), [.. Configs.Select(Encoding.UTF8.GetBytes)], () => ReadAll(ModelConfigReader.Read(_folder.Path)),
        e => e is InvalidInputException, _folder.Path, cases: 2000);

    [Fact]
    public void Changed_values()
    {
        int read = 0, refused = 0;
        var keys = Configs.SelectMany(config => JsonNode.Parse(config)!.AsObject().Select(entry => entry.Key)).Distinct().ToArray();
        Gen.Select(Gen.Int[0, Configs.Length - 1], Gen.Select(Gen.Int[0, keys.Length - 1], Gen.Int[0, Values.Length - 1]).Array[1, 3]).Sample((which, changes) =>
        {
            var json = JsonNode.Parse(Configs[which])!.AsObject();
            foreach (var (key, value) in changes) json[keys[key]] = Values[value] == "1e999" ? JsonValue.Create("1e999") : JsonNode.Parse(Values[value]);
            try
            {
                ReadAll(ModelConfigReader.Parse(json.ToJsonString(), "here.json"));
                read++;
            }
            catch (InvalidInputException e)
            {
                e.Message.ShouldStartWith("here.json");
                refused++;
            }
        }, iter: 4000, threads: 1);
        Math.Min(read, refused).ShouldBeGreaterThan(100);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Everything that follows from a config without its weights.</summary>
    private static void ReadAll(ModelConfig config)
    {
        for (var layer = 0; layer < config.LayerCount; layer++) _ = (config.WindowOf(layer), config.RopeOf(layer));
        config.ParameterCount.ShouldBePositive();
        BaseWeights.LayerParameters(config).ShouldBePositive();
        BaseWeights.Of(config, 2).TotalBytes.ShouldBePositive();
        KeptForBackward.BytesPerToken(config, 2, trained: true, onHost: false).ShouldBePositive();
        foreach (var module in LinearModule.Of(config with { LayerCount = 1 })) ((long)module.Inputs * module.Outputs).ShouldBePositive();
        if (config.LayerCount > 100) return;
        ModelConfigReader.Parse(ModelConfigWriter.ToJson(config)).LayerCount.ShouldBe(config.LayerCount);
    }

    private static string Of(string modelType, string flags)
    {
        var json = JsonNode.Parse("""
            {"vocab_size": 100, "hidden_size": 64, "intermediate_size": 112, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
             "head_dim": 16, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "eos_token_id": [1, 2], "tie_word_embeddings": false}
            """)!.AsObject();
        json["model_type"] = modelType;
        foreach (var (key, value) in JsonNode.Parse(flags)!.AsObject()) json[key] = value?.DeepClone();
        return json.ToJsonString();
    }
}
