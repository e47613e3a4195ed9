using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Meft.Core.Storage;

namespace Meft.Core.Formats.HuggingFace;

/// <summary>
/// Writes a config.json that transformers 4 and 5 both read: <c>rope_theta</c>, <c>rope_scaling</c> and <c>torch_dtype</c>
/// are the older spelling, which the newer reader still takes.
/// </summary>
public static class ModelConfigWriter
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The text of a config.json, ending with a line break.</summary>
    public static string ToJson(ModelConfig config)
    {
        config.Validate();
        var family = ModelFamily.OfArchitecture(config.Architecture);
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(config.Architecture),
            ["model_type"] = family.ModelType,
            ["vocab_size"] = config.VocabularySize,
            ["hidden_size"] = config.HiddenSize,
            ["intermediate_size"] = config.IntermediateSize,
            ["num_hidden_layers"] = config.LayerCount,
            ["num_attention_heads"] = config.HeadCount,
            ["num_key_value_heads"] = config.KeyValueHeadCount,
            ["head_dim"] = config.HeadSize,
            ["max_position_embeddings"] = config.MaxPositions,
            ["rms_norm_eps"] = config.NormEpsilon,
            ["hidden_act"] = NameOf(config.Activation),
            ["initializer_range"] = config.InitializerRange,
            ["tie_word_embeddings"] = config.TiedEmbeddings,
            ["rope_theta"] = config.Rope.Theta,
            ["rope_scaling"] = RopeConfigWriter.Scaling(config.Rope),
            ["bos_token_id"] = config.BeginToken,
            ["eos_token_id"] = EndTokens(config.EndTokens),
            ["pad_token_id"] = config.PadToken,
        };
        // Of a family with a key of its own, versions of transformers read the one or the other.
        if (!json.ContainsKey(family.ActivationKey)) json[family.ActivationKey] = NameOf(config.Activation);
        if (family.AttentionBias == BiasRule.AsConfigured) json["attention_bias"] = config.QueryKeyValueBias;
        if (family.FeedForwardBias == BiasRule.AsConfigured) json["mlp_bias"] = config.FeedForwardBias;
        if (family.Window != WindowRule.Never) json["sliding_window"] = config.SlidingWindow;
        if (family.Window is WindowRule.AsLayerTypes or WindowRule.WithoutPositions) json["use_sliding_window"] = config.SlidingWindow is not null;
        if (family.Window is WindowRule.AsLayerTypes or WindowRule.WithoutPositions or WindowRule.AllButEveryNth)
        {
            json["layer_types"] = new JsonArray([.. Enumerable.Range(0, config.LayerCount)
                .Select(i => JsonValue.Create(config.WindowOf(i) is null ? "full_attention" : "sliding_attention"))]);
        }
        AddOfFamily(json, config, family);
        if (config.StoredType is { } stored) json["torch_dtype"] = stored.ToString().ToLowerInvariant();
        return json.ToJsonString(Indented) + "\n";
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="Errors.RunFailedException">The file cannot be written.</exception>
    public static void Write(ModelConfig config, string path) => AtomicFile.WriteAllText(path, ToJson(config));

    private static string NameOf(Activation activation) => activation switch
    {
        Activation.Gelu => "gelu",
        Activation.GeluTanh => "gelu_pytorch_tanh",
        _ => "silu",
    };

    private static JsonNode? EndTokens(IReadOnlyList<int> ids) => ids.Count switch
    {
        0 => null,
        1 => JsonValue.Create(ids[0]),
        _ => new JsonArray([.. ids.Select(id => JsonValue.Create(id))]),
    };

    /// <summary>The number whose root attention scores are divided by: a whole one, where the scale came from one.</summary>
    private static double QueryScalar(ModelConfig config)
    {
        var scalar = 1 / (config.AttentionScale * config.AttentionScale);
        return 1 / Math.Sqrt(Math.Round(scalar)) == config.AttentionScale ? Math.Round(scalar) : scalar;
    }

    /// <summary>The keys that only some families have.</summary>
    private static void AddOfFamily(JsonObject json, ModelConfig config, ModelFamily family)
    {
        if (family.TurnsPartOfHeads) json["partial_rotary_factor"] = config.Rope.PartialFactor;
        if (config.Rope.Type == RopeType.Longrope) json["original_max_position_embeddings"] = config.Rope.OriginalMaxPositions;
        if (config.LocalRope is { } local) RopeConfigWriter.AddLocal(json, config.Rope, local);
        if (family.HasLayersWithoutPositions)
        {
            json["no_rope_layers"] = new JsonArray([.. Enumerable.Range(0, config.LayerCount)
                .Select(i => JsonValue.Create(config.RopeOf(i) is null ? 0 : 1))]);
        }
        if (family.DefaultQueryScalar is not null) json["query_pre_attn_scalar"] = QueryScalar(config);
        if (family.CapsAttention) json["attn_logit_softcapping"] = config.SoftCaps.Attention;
        if (family.CapsLogits) json["final_logit_softcapping"] = config.SoftCaps.Logits;
        if (!family.HasMultipliers) return;
        json["embedding_multiplier"] = config.Multipliers.Embedding;
        json["attention_multiplier"] = config.AttentionScale;
        json["residual_multiplier"] = config.Multipliers.Residual;
        json["logits_scaling"] = config.Multipliers.LogitDivisor;
    }
}
