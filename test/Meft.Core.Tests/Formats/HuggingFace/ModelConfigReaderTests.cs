using System.Text.Json.Nodes;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.HuggingFace;

public class ModelConfigReaderTests
{
    private const string Llama = """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 100, "hidden_size": 64, "intermediate_size": 112,
         "num_hidden_layers": 3, "num_attention_heads": 4, "eos_token_id": 2}
        """;

    private const string Qwen3 = """
        {"architectures": ["Qwen3ForCausalLM"], "vocab_size": 100, "hidden_size": 64, "intermediate_size": 112, "num_hidden_layers": 4,
         "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
        """;

    public static TheoryData<string> TinyModels => Assets.Folders("models/tiny");

    /// <summary>What a changed config must be refused with: the change, and the parts of the message.</summary>
    public static TheoryData<string, string[]> Contradictions => new()
    {
        { """{"num_key_value_heads": 3}""", ["num_attention_heads is 4", "num_key_value_heads, 3"] },
        { """{"hidden_size": 66}""", ["hidden_size is 66", "num_attention_heads, 4"] },
        { """{"hidden_size": -64}""", ["hidden_size is -64"] },
        { """{"num_attention_heads": 0}""", ["num_attention_heads, 0"] },
        { """{"head_dim": 15}""", ["head_dim is 15", "even"] },
        { """{"hidden_size": 60}""", ["head_dim is 15, hidden_size 60 over num_attention_heads 4", "even"] },
        { """{"num_attention_heads": 128}""", ["hidden_size is 64", "num_attention_heads, 128"] },
        { """{"num_key_value_heads": 8}""", ["num_attention_heads is 4", "num_key_value_heads, 8"] },
        { """{"num_key_value_heads": 0}""", ["num_key_value_heads is 0"] },
        { """{"intermediate_size": 2000000000}""", ["intermediate_size 2000000000", "num_attention_heads is 4"] },
        { """{"hidden_size": 2000000000, "vocab_size": 2000000000, "head_dim": 16}""", ["hidden_size is 2000000000", "vocab_size 2000000000"] },
        { """{"vocab_size": null}""", ["'vocab_size' is missing"] },
        { """{"vocab_size": "many"}""", ["'vocab_size' is \"many\"", "whole number"] },
        { """{"vocab_size": 1.5}""", ["'vocab_size' is 1.5"] },
        { """{"rms_norm_eps": 0}""", ["rms_norm_eps is 0"] },
        { """{"tie_word_embeddings": 1}""", ["'tie_word_embeddings' is 1", "true or false"] },
        { """{"hidden_act": "relu"}""", ["'relu'", "gelu, gelu_new, gelu_pytorch_tanh, silu, swish"] },
        { """{"dtype": "int8"}""", ["'int8'", "bfloat16, float16, float32"] },
        { """{"architectures": ["GPT2LMHeadModel"]}""", ["'GPT2LMHeadModel'", "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"] },
        { """{"model_type": "qwen2"}""", ["LlamaForCausalLM", "qwen2"] },
        { """{"architectures": null, "model_type": "mamba"}""", ["'mamba'", "llama"] },
        { """{"rope_scaling": {"type": "dynamic", "factor": 2}}""", ["'dynamic'", "default, linear, llama3, longrope, yarn"] },
        { """{"rope_scaling": {"type": "linear"}}""", ["'rope_scaling.factor' is missing"] },
        { """{"rope_scaling": {"type": "linear", "factor": 0.5}}""", ["factor is 0.5"] },
        { """{"rope_parameters": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}}""", ["low_freq_factor is 4", "high_freq_factor is 4"] },
        { """{"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}}""", ["partial_rotary_factor' is 0.5"] },
        { """{"rope_theta": -1}""", ["rope_theta is -1"] },
        { """{"rope_scaling": {"type": "yarn", "factor": 2, "attn_factor": 0.8}}""", ["'rope_scaling.attn_factor' is 0.8", "attention_factor", "remove the key"] },
        { """{"is_causal": false}""", ["'is_causal' is false", "may change its numbers"] },
    };

    [Fact]
    public void What_is_not_computed_here_is_told_from_what_contradicts_itself()
    {
        foreach (var change in new[] { """{"hidden_act": "relu"}""", """{"use_experts": true}""", """{"rope_scaling": {"type": "dynamic", "factor": 2}}""", """{"quantization_config": {"bits": 4}}""" })
            Should.Throw<UnsupportedModelException>(() => ModelConfigReader.Parse(With(Llama, change)), change);
        foreach (var change in new[] { """{"num_key_value_heads": 3}""", """{"rope_theta": -1}""", """{"vocab_size": "many"}""" })
            Should.Throw<InvalidInputException>(() => ModelConfigReader.Parse(With(Llama, change)), change).ShouldNotBeOfType<UnsupportedModelException>(change);
    }

    [Fact]
    public void A_key_that_stands_twice_is_refused()
    {
        var twice = Llama.Replace("\"hidden_size\": 64", "\"hidden_size\": 64, \"hidden_size\": 32", StringComparison.Ordinal);
        Should.Throw<InvalidInputException>(() => ModelConfigReader.Parse(twice)).Message.ShouldContain("hidden_size");
    }

    [Fact]
    public void A_checkpoint_of_float64_is_computed_in_float32() =>
        ModelConfigReader.Parse(With(Llama, """{"dtype": "float64"}""")).StoredType.ShouldBe(StoredType.Float32);

    [Fact]
    public void Absent_keys_have_the_familys_defaults()
    {
        var config = ModelConfigReader.Parse(Llama);
        config.KeyValueHeadCount.ShouldBe(4);
        config.HeadSize.ShouldBe(16);
        config.MaxPositions.ShouldBe(2048);
        config.Rope.ShouldBe(new RopeConfig());
        config.EndTokens.ShouldBe([2]);
        config.WindowOf(0).ShouldBeNull();
        config.StoredType.ShouldBeNull();
    }

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void What_is_unknown_or_contradicts_itself_is_refused_with_its_values(string change, string[] parts)
    {
        var message = Should.Throw<InvalidInputException>(() => ModelConfigReader.Parse(With(Llama, change), "here.json")).Message;
        message.ShouldStartWith("here.json");
        foreach (var part in parts) message.ShouldContain(part);
    }

    [Theory]
    [InlineData("{", "line 1")]
    [InlineData("{\"vocab_size\": \"\\ud800\"}", "no Unicode")]
    [InlineData("[]", "a JSON object")]
    [InlineData("{}", "neither 'architectures' nor 'model_type'")]
    public void What_is_no_config_is_refused(string json, string part) =>
        Should.Throw<InvalidInputException>(() => ModelConfigReader.Parse(json)).Message.ShouldContain(part);

    [Fact]
    public void A_missing_file_is_named()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<InvalidInputException>(() => ModelConfigReader.Read(folder.Path)).Message
            .ShouldStartWith(folder.File("config.json") + ": the file does not exist");
    }

    [Fact]
    public void Old_and_new_spellings_mean_the_same()
    {
        var old = ModelConfigReader.Parse(With(Llama, """
            {"rope_theta": 5e5, "torch_dtype": "bfloat16", "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}}
            """));
        var fresh = ModelConfigReader.Parse(With(Llama, """
            {"dtype": "bfloat16", "rope_parameters": {"rope_type": "yarn", "rope_theta": 5e5, "factor": 4.0, "original_max_position_embeddings": 64}}
            """));
        fresh.ShouldBeEquivalentTo(old);
        fresh.Rope.Theta.ShouldBe(5e5);
        fresh.Rope.Type.ShouldBe(RopeType.Yarn);
        fresh.StoredType.ShouldBe(StoredType.BFloat16);
    }

    [Fact]
    public void Yarn_without_a_factor_takes_the_ratio_of_the_lengths() =>
        ModelConfigReader.Parse(With(Llama, """
            {"max_position_embeddings": 256, "rope_scaling": {"type": "yarn", "original_max_position_embeddings": 64, "beta_fast": 0}}
            """)).Rope.ShouldBe(new RopeConfig { Type = RopeType.Yarn, Factor = 4, OriginalMaxPositions = 64 });

    [Fact]
    public void Qwen3_has_its_head_size_norms_and_windows()
    {
        var config = ModelConfigReader.Parse(Qwen3);
        config.HeadSize.ShouldBe(128);
        config.QueryKeyNorm.ShouldBeTrue();
        config.WindowOf(3).ShouldBeNull();

        var sliding = ModelConfigReader.Parse(With(Qwen3, """{"use_sliding_window": true, "sliding_window": 32, "max_window_layers": 2}"""));
        Enumerable.Range(0, 4).Select(sliding.WindowOf).ShouldBe([null, null, 32, 32]);

        var typed = ModelConfigReader.Parse(With(Qwen3, """
            {"use_sliding_window": true, "sliding_window": 32,
             "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"]}
            """));
        Enumerable.Range(0, 4).Select(typed.WindowOf).ShouldBe([32, null, 32, null]);
    }

    [Theory]
    [InlineData("""{"layer_types": ["full_attention"]}""", "1 layers but num_hidden_layers is 4")]
    [InlineData("""{"layer_types": ["chunked_attention"]}""", "'chunked_attention'")]
    [InlineData("""{"layer_types": ["sliding_attention", "full_attention", "full_attention", "full_attention"]}""", "sliding_window is null")]
    public void Layer_types_that_do_not_fit_are_refused(string change, string part) =>
        Should.Throw<InvalidInputException>(() => ModelConfigReader.Parse(With(Qwen3, change))).Message.ShouldContain(part);

    [Fact]
    public void Qwen2_always_has_biases_and_mistral_slides_everywhere()
    {
        var qwen = ModelConfigReader.Parse(With(Qwen3, """{"architectures": ["Qwen2ForCausalLM"]}"""));
        (qwen.QueryKeyValueBias, qwen.AttentionOutputBias, qwen.QueryKeyNorm).ShouldBe((true, false, false));
        var mistral = ModelConfigReader.Parse(With(Qwen3, """{"architectures": ["MistralForCausalLM"]}"""));
        mistral.WindowOf(0).ShouldBe(4096);
        ModelConfigReader.Parse(With(Qwen3, """{"architectures": ["MistralForCausalLM"], "sliding_window": null}""")).WindowOf(0).ShouldBeNull();
    }

    [Theory]
    [MemberData(nameof(TinyModels))]
    [Trait("Category", "Fixtures")]
    public void What_is_written_reads_the_same(string name)
    {
        var config = ModelConfigReader.Read(Assets.Require("models", "tiny", name));
        ModelConfigReader.Parse(ModelConfigWriter.ToJson(config)).ShouldBeEquivalentTo(config);
    }

    [Fact]
    public void Every_field_that_a_family_has_survives_writing()
    {
        var config = ModelConfigReader.Parse(With(Qwen3, """
            {"attention_bias": true, "tie_word_embeddings": true, "hidden_act": "gelu_new", "torch_dtype": "float16",
             "eos_token_id": [2, 3], "bos_token_id": 1, "pad_token_id": 0, "initializer_range": 0.1, "rms_norm_eps": 1e-5,
             "use_sliding_window": true, "sliding_window": 32, "max_window_layers": 2,
             "rope_scaling": {"rope_type": "yarn", "factor": 3, "attention_factor": 1.1, "mscale": 0.7, "mscale_all_dim": 0.9,
                "beta_fast": 20, "beta_slow": 2, "truncate": false, "original_max_position_embeddings": 64}}
            """));
        ModelConfigReader.Parse(ModelConfigWriter.ToJson(config)).ShouldBeEquivalentTo(config);
    }

    [Fact]
    public void Generation_defaults_come_from_their_own_file_else_from_the_model()
    {
        using var folder = new TemporaryFolder();
        var model = ModelConfigReader.Parse(With(Llama, """{"bos_token_id": 1}"""));
        GenerationConfig.Read(folder.Path, model).EndTokens.ShouldBe([2]);
        folder.Write("generation_config.json", """{"eos_token_id": [1, 2], "do_sample": true, "temperature": 0.6, "top_k": 20}""");
        var config = GenerationConfig.Read(folder.Path, model);
        config.EndTokens.ShouldBe([1, 2]);
        (config.BeginToken, config.Sample, config.Temperature, config.TopK, config.TopP).ShouldBe((1, true, 0.6, 20, null));
    }

    private static string With(string json, string change)
    {
        var merged = JsonNode.Parse(json)!.AsObject();
        foreach (var (key, value) in JsonNode.Parse(change)!.AsObject()) merged[key] = value?.DeepClone();
        return merged.ToJsonString();
    }
}
