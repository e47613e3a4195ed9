using System.Text.Json.Nodes;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Planning;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.HuggingFace;

/// <summary>What the families beside Llama, Mistral, Qwen2 and Qwen3 say in their config.json.</summary>
public class FamilyConfigTests
{
    private const string Sizes = """
        {"vocab_size": 100, "hidden_size": 64, "intermediate_size": 112, "num_hidden_layers": 7, "num_attention_heads": 4, "max_position_embeddings": 512}
        """;

    public static TheoryData<string> Families => Assets.Folders("models/families");

    /// <summary>A family, a change of its config, and parts of the message it is refused with.</summary>
    public static TheoryData<string, string, string[]> Refused => new()
    {
        { "smollm3", """{"no_rope_layers": [1, 0]}""", ["no_rope_layers names 2 layers", "num_hidden_layers is 7"] },
        { "smollm3", """{"no_rope_layers": [1, 2, 1, 1, 1, 1, 1]}""", ["'no_rope_layers' holds 2"] },
        { "smollm3", """{"no_rope_layer_interval": 0}""", ["'no_rope_layer_interval' is 0"] },
        { "smollm3", """{"use_sliding_window": true, "sliding_window": 0}""", ["sliding_window is 0"] },
        { "olmo2", """{"num_key_value_heads": 3}""", ["num_attention_heads is 4", "num_key_value_heads, 3"] },
        { "olmo2", """{"clip_qkv": 8.0}""", ["'clip_qkv' is 8.0", "Olmo2ForCausalLM"] },
        { "granite", """{"residual_multiplier": 0}""", ["residual_multiplier is 0"] },
        { "granite", """{"logits_scaling": "much"}""", ["'logits_scaling' is \"much\""] },
        { "granite", """{"num_local_experts": 8}""", ["'num_local_experts' is 8"] },
        { "phi3", """{"partial_rotary_factor": 0.7}""", ["partial_rotary_factor is 0.7", "head_dim 16", "11 numbers"] },
        { "phi3", """{"partial_rotary_factor": 1.5}""", ["partial_rotary_factor is 1.5"] },
        { "phi3", """{"rope_scaling": {"type": "linear", "factor": 2}}""", ["'linear'", "longrope"] },
        { "phi3", """{"rope_scaling": {"type": "longrope", "short_factor": [1, 1]}}""", ["'rope_scaling.long_factor' is missing"] },
        { "phi3", """{"rope_scaling": {"type": "su", "short_factor": [1, 1], "long_factor": [1, 1, 1, 1, 1, 1, 1, 1]}}""", ["short_factor has 2 numbers", "16 of a head's 16"] },
        { "phi3", """{"rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1, 1, 1, 1, 0], "long_factor": [1, 1, 1, 1, 1, 1, 1, 1]}}""", ["short_factor holds 0"] },
        { "phi3", """{"rope_scaling": {"type": "su", "short_factor": [1, "a"], "long_factor": []}}""", ["'rope_scaling.short_factor' is \"a\""] },
        { "gemma", """{"num_key_value_heads": 4, "hidden_activation": "relu"}""", ["'relu'"] },
        { "gemma", "{}", ["num_attention_heads is 4", "num_key_value_heads, 16"] },
        { "gemma2", """{"use_bidirectional_attention": true}""", ["'use_bidirectional_attention' is true", "Gemma2ForCausalLM"] },
        { "gemma2", """{"attn_logit_softcapping": -1}""", ["attn_logit_softcapping is -1"] },
        { "gemma2", """{"query_pre_attn_scalar": 0}""", ["'query_pre_attn_scalar' is 0"] },
        { "gemma2", """{"layer_types": ["full_attention"]}""", ["1 layers", "num_hidden_layers is 7"] },
        { "gemma2", """{"sliding_window": 4096, "sliding_window_size": 2048}""", ["'sliding_window_size' is 2048"] },
        { "llama", """{"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}, "rope_scaling": {"type": "yarn", "factor": 4}}""", ["rope_scaling' has type \"yarn\"", "rope_parameters has it \"default\""] },
        { "llama", """{"rope_parameters": {"rope_type": "linear", "factor": 2}, "rope_scaling": {"type": "linear", "factor": 4}}""", ["factor 4", "has it 2"] },
        { "llama", """{"original_max_position_embeddings": 128, "rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 64}}""", ["original_max_position_embeddings' is 64", "128"] },
        { "llama", """{"rope_theta": 5e5, "rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}""", ["rope_theta' is 10000", "500000, as rope_theta of the whole file says"] },
        { "phi3", """{"partial_rotary_factor": 0.5, "rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.75}}""", ["partial_rotary_factor' is 0.75", "0.5, as"] },
        { "gemma3_text", """{"rope_local_base_freq": 2e4, "rope_parameters": {"full_attention": {"rope_type": "default"}, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}}""", ["rope_theta' is 10000", "20000, as rope_local_base_freq"] },
        { "gemma2", """{"sliding_window": null}""", ["sliding_window is null"] },
        { "gemma2", """{"hidden_activation": "relu"}""", ["'relu'"] },
        { "gemma2", """{"partial_rotary_factor": 0.5}""", ["partial_rotary_factor", "0.5"] },
        { "gemma3_text", """{"sliding_window_pattern": 0}""", ["'sliding_window_pattern' is 0"] },
        { "gemma3_text", """{"rope_local_base_freq": 0.5}""", ["rope_local_base_freq is 0.5"] },
        { "llama", """{"attn_logit_softcapping": 50.0}""", ["'attn_logit_softcapping' is 50.0", "LlamaForCausalLM"] },
        { "llama", """{"embedding_multiplier": 12}""", ["'embedding_multiplier' is 12"] },
        { "llama", """{"no_rope_layers": [1, 1, 1, 0]}""", ["'no_rope_layers' is [1,1,1,0]"] },
        { "llama", """{"use_qk_norm": true}""", ["'use_qk_norm' is true"] },
        { "llama", """{"quantization_config": {"bits": 4}}""", ["'quantization_config' is {\"bits\":4}: the weights of this checkpoint are packed already", "quantize: nf4"] },
        { "llama", """{"position_embedding_type": "alibi"}""", ["'position_embedding_type' is \"alibi\""] },
        { "llama", """{"partial_rotary_factor": 0.5}""", ["partial_rotary_factor' is 0.5"] },
        { "llama", """{"rope_parameters": {"full_attention": {"rope_theta": 1e6}, "sliding_attention": {"rope_theta": 1e4}}}""", ["sliding_attention", "one rope"] },
        { "llama", """{"num_hidden_layers": 2000000000}""", ["num_hidden_layers", "2000000000"] },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_contradicts_itself_or_would_change_the_numbers_is_refused_by_name(string family, string change, string[] parts)
    {
        var message = Should.Throw<InvalidInputException>(() => Parse(family, change)).Message;
        message.ShouldStartWith("here.json");
        foreach (var part in parts) message.ShouldContain(part);
    }

    [Fact]
    public void Flags_that_are_off_and_what_publishers_leave_are_let_pass() => Parse("llama", """
        {"attn_logit_softcapping": null, "embedding_multiplier": 1.0, "no_rope_layers": [], "use_qk_norm": false, "rope_interleaved": false,
         "_name_or_path": "x", "_attn_implementation_autoset": true, "unsloth_version": "1", "attention_dropout": 0.1, "id2label": {"0": "a"},
         "sep_token_id": 5, "pretraining_tp": 2, "auto_map": {}, "is_llama_config": true, "sliding_window": 4096, "position_embedding_type": "rope",
         "dual_chunk_attention_config": {"chunk_size": 262144}, "architectures": ["LLaMAForCausalLM"]}
        """).ShouldBeEquivalentTo(Parse("llama"));

    [Fact]
    public void What_is_said_twice_alike_is_let_pass()
    {
        Parse("gemma2", """{"sliding_window": 4096, "sliding_window_size": 4096}""").ShouldBeEquivalentTo(Parse("gemma2", """{"sliding_window": 4096}"""));
        Parse("llama", """{"rope_parameters": {"rope_type": "linear", "factor": 2, "rope_theta": 1e4}, "rope_scaling": {"type": "linear", "factor": 2, "x": null}}""")
            .Rope.ShouldBe(Parse("llama", """{"rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 2}}""").Rope);
    }

    [Fact]
    public void Smollm3_leaves_every_fourth_layer_without_positions()
    {
        var config = Parse("smollm3");
        Enumerable.Range(0, 7).Select(layer => config.RopeOf(layer) is null).ShouldBe([false, false, false, true, false, false, false]);
        (config.Rope.Theta, config.TiedEmbeddings, config.KeyValueHeadCount).ShouldBe((2e6, true, 4));
        Parse("smollm3", """{"no_rope_layer_interval": 2}""").RotaryLayers.ShouldBe([true, false, true, false, true, false, true]);
        Parse("smollm3", """{"no_rope_layers": [0, 1, 1, 1, 1, 1, 1, 0, 0]}""").RotaryLayers.ShouldBe([false, true, true, true, true, true, true]);
        var sliding = Parse("smollm3", """{"use_sliding_window": true, "sliding_window": 9}""");
        Enumerable.Range(0, 7).Select(sliding.WindowOf).ShouldBe([null, null, null, 9, null, null, null]);
        Parse("smollm3", """{"sliding_window": 9}""").WindowOf(3).ShouldBeNull();
    }

    [Fact]
    public void Olmo2_norms_behind_its_blocks_and_over_whole_projections()
    {
        var config = Parse("olmo2");
        (config.NormPlacement, config.NormScaling, config.QueryKeyNorm, config.QueryKeyNormOverHeads, config.NormEpsilon)
            .ShouldBe((NormPlacement.After, NormScaling.BeforeRounding, true, true, 1e-5));
        Parse("olmo2", """{"attention_bias": true}""").AttentionOutputBias.ShouldBeTrue();
    }

    [Fact]
    public void Granite_has_its_four_multipliers()
    {
        Parse("granite").Multipliers.ShouldBe(new Multipliers { Attention = 1 });
        Parse("granite", """{"embedding_multiplier": 12, "attention_multiplier": 0.015625, "residual_multiplier": 0.22, "logits_scaling": 8}""")
            .Multipliers.ShouldBe(new Multipliers { Embedding = 12, Attention = 0.015625, Residual = 0.22, LogitDivisor = 8 });
    }

    [Fact]
    public void Phi3_has_fused_maps_and_its_two_sets_of_factors()
    {
        var plain = Parse("phi3");
        (plain.FusedProjections, plain.SlidingWindow, plain.Rope.Type).ShouldBe((true, null, RopeType.Default));
        Parse("phi3", """{"sliding_window": 2047}""").WindowOf(6).ShouldBe(2047);
        var turned = Parse("phi3", """
            {"max_position_embeddings": 16384, "partial_rotary_factor": 0.75, "original_max_position_embeddings": 4096,
             "rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1, 1, 2], "long_factor": [1, 2, 3, 4, 5, 6.5]}}
            """).Rope;
        (turned.Type, turned.TurnedOf(16), turned.Factor, turned.OriginalMaxPositions).ShouldBe((RopeType.Longrope, 12, 4, 4096));
        turned.LongFactors.ShouldBe([1, 2, 3, 4, 5, 6.5]);
        (turned.ChangesBetween(4096, 4097), turned.ChangesBetween(0, 5000), turned.ChangesBetween(4097, 4098), turned.ChangesBetween(1, 4096))
            .ShouldBe((true, false, false, false));
        LinearModule.Of(plain).Take(4).Select(m => (m.ShortName, m.Inputs, m.Outputs))
            .ShouldBe([("qkv_proj", 64, 192), ("o_proj", 64, 64), ("gate_up_proj", 64, 224), ("down_proj", 112, 64)]);
        var settings = new LoraSettings { Rank = 2, Alpha = 2, Targets = new TargetSelection.Named(["qkv_proj", "gate_up_proj"]) };
        settings.Resolve(plain).ParameterCount.ShouldBe(7 * 2 * (64 + 192 + 64 + 224));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"hidden_act": "gelu", "hidden_activation": null}""")]
    [InlineData("""{"hidden_act": "gelu", "hidden_activation": "gelu_pytorch_tanh"}""")]
    public void Gemma_is_scaled_at_its_ends_and_has_the_tanh_form_of_gelu_whatever_hidden_act_says(string change)
    {
        var config = Parse("gemma", change.Replace("{", """{"num_key_value_heads": 1, """, StringComparison.Ordinal).Replace(", }", "}", StringComparison.Ordinal));
        (config.Multipliers.Embedding, config.AttentionScale, config.HeadSize, config.Activation).ShouldBe((8, 1.0 / 16, 256, Activation.GeluTanh));
        (config.NormPlacement, config.NormScaling, config.TiedEmbeddings, config.SoftCaps).ShouldBe((NormPlacement.Before, NormScaling.OnePlusWeight, true, new SoftCaps()));
        Enumerable.Range(0, 7).Select(config.WindowOf).ShouldAllBe(window => window == null);
    }

    [Fact]
    public void Gemma2_slides_every_second_layer_and_caps_scores_and_logits()
    {
        var config = Parse("gemma2");
        Enumerable.Range(0, 7).Select(config.WindowOf).ShouldBe([4096, null, 4096, null, 4096, null, 4096]);
        config.SoftCaps.ShouldBe(new SoftCaps { Attention = 50, Logits = 30 });
        (config.Multipliers.Embedding, config.AttentionScale, config.HeadSize, config.Activation).ShouldBe((8, 1.0 / 16, 256, Activation.GeluTanh));
        (config.NormPlacement, config.NormScaling, config.TiedEmbeddings, config.LocalRope).ShouldBe((NormPlacement.Around, NormScaling.OnePlusWeight, true, null));
        Parse("gemma2", """{"attn_logit_softcapping": null, "final_logit_softcapping": 20.0}""").SoftCaps.ShouldBe(new SoftCaps { Logits = 20 });
    }

    [Fact]
    public void Gemma3_has_a_rope_for_its_sliding_layers_in_either_spelling()
    {
        var old = Parse("gemma3_text", """
            {"rope_theta": 5e5, "rope_local_base_freq": 2e4, "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "sliding_window_pattern": 3}
            """);
        var fresh = Parse("gemma3_text", """
            {"rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 5e5},
                                 "sliding_attention": {"rope_type": "default", "rope_theta": 2e4}}, "_sliding_window_pattern": 3}
            """);
        fresh.ShouldBeEquivalentTo(old);
        Enumerable.Range(0, 7).Select(layer => old.RopeOf(layer)!.Theta).ShouldBe([2e4, 2e4, 5e5, 2e4, 2e4, 5e5, 2e4]);
        (old.Rope.Factor, old.LocalRope!.Type, old.QueryKeyNorm, old.QueryKeyNormOverHeads).ShouldBe((8, RopeType.Default, true, false));
        var plain = Parse("gemma3_text");
        (plain.Rope.Theta, plain.LocalRope!.Theta, plain.WindowOf(5), plain.WindowOf(6)).ShouldBe((1e6, 1e4, null, 4096));
    }

    [Theory]
    [MemberData(nameof(Families))]
    [Trait("Category", "Fixtures")]
    public void What_is_written_reads_the_same(string family)
    {
        var config = ModelConfigReader.Read(Assets.Require("models", "families", family));
        ModelConfigReader.Parse(ModelConfigWriter.ToJson(config)).ShouldBeEquivalentTo(config);
    }

    [Theory]
    [InlineData("smollm3", """{"no_rope_layers": [1, 0, 1, 0, 1, 1, 1], "use_sliding_window": true, "sliding_window": 9, "mlp_bias": true}""")]
    [InlineData("olmo2", """{"attention_bias": true}""")]
    [InlineData("granite", """{"embedding_multiplier": 12, "attention_multiplier": 0.013, "residual_multiplier": 0.22, "logits_scaling": 8.3}""")]
    [InlineData("phi3", """
        {"partial_rotary_factor": 0.75, "original_max_position_embeddings": 128, "sliding_window": 77,
         "rope_scaling": {"type": "longrope", "attention_factor": 1.2, "short_factor": [1, 1, 1, 1, 1, 2], "long_factor": [1, 2, 3, 4, 5, 6.5]}}
        """)]
    [InlineData("gemma", """{"num_key_value_heads": 2, "hidden_activation": "gelu", "rope_theta": 5e5}""")]
    [InlineData("gemma2", """{"query_pre_attn_scalar": 224, "attn_logit_softcapping": null, "final_logit_softcapping": 20, "sliding_window": 5}""")]
    [InlineData("gemma3_text", """{"query_pre_attn_scalar": 168, "final_logit_softcapping": 20, "rope_scaling": {"type": "linear", "factor": 8}}""")]
    [InlineData("gemma3_text", """
        {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 5e5}, "sliding_attention": {"rope_type": "linear", "factor": 2, "rope_theta": 2e4}}}
        """)]
    public void Every_flag_of_a_family_survives_writing(string family, string change)
    {
        var config = Parse(family, change);
        ModelConfigReader.Parse(ModelConfigWriter.ToJson(config)).ShouldBeEquivalentTo(config);
    }

    [Theory]
    // Parameters of a layer, added up by hand: maps, norms of the hidden state, norms of queries and keys.
    [InlineData("smollm3", (2 * 64 * 64) + (2 * 64 * 64) + (3 * 64 * 112) + (2 * 64))]
    [InlineData("olmo2", (4 * 64 * 64) + (3 * 64 * 112) + (2 * 64) + (2 * 64))]
    [InlineData("phi3", (64 * 192) + (64 * 64) + (64 * 224) + (112 * 64) + (2 * 64))]
    [InlineData("gemma2", (2 * 64 * 1024) + (2 * 64 * 1024) + (3 * 64 * 112) + (4 * 64))]
    [InlineData("gemma3_text", (2 * 64 * 1024) + (2 * 64 * 1024) + (3 * 64 * 112) + (4 * 64) + (2 * 256))]
    public void The_plan_counts_a_layers_parameters(string family, long expected)
    {
        var config = Parse(family);
        BaseWeights.LayerParameters(config).ShouldBe(expected);
        var weights = BaseWeights.Of(config, 2);
        (weights.LayerBytes, weights.EndBytes).ShouldBe((2 * expected, 2 * ((config.TiedEmbeddings ? 1 : 2) * 6400 + 64)));
        weights.LargestTensorBytes.ShouldBe(2 * LinearModule.Of(config).Max(m => (long)m.Inputs * m.Outputs));
    }

    private static ModelConfig Parse(string modelType, string change = "{}")
    {
        var merged = JsonNode.Parse(Sizes)!.AsObject();
        merged["model_type"] = modelType;
        foreach (var (key, value) in JsonNode.Parse(change)!.AsObject()) merged[key] = value?.DeepClone();
        return ModelConfigReader.Parse(merged.ToJsonString(), "here.json");
    }
}
