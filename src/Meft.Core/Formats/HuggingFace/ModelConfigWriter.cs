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
            ["hidden_act"] = config.Activation switch
            {
                Activation.Gelu => "gelu",
                Activation.GeluTanh => "gelu_pytorch_tanh",
                _ => "silu",
            },
            ["initializer_range"] = config.InitializerRange,
            ["tie_word_embeddings"] = config.TiedEmbeddings,
            ["rope_theta"] = config.Rope.Theta,
            ["rope_scaling"] = RopeScaling(config.Rope),
            ["bos_token_id"] = config.BeginToken,
            ["eos_token_id"] = EndTokens(config.EndTokens),
            ["pad_token_id"] = config.PadToken,
        };
        if (family.AttentionBias == BiasRule.AsConfigured) json["attention_bias"] = config.QueryKeyValueBias;
        if (family.FeedForwardBias == BiasRule.AsConfigured) json["mlp_bias"] = config.FeedForwardBias;
        if (family.Window != WindowRule.Never) json["sliding_window"] = config.SlidingWindow;
        if (family.Window == WindowRule.AsLayerTypes)
        {
            json["use_sliding_window"] = config.SlidingWindow is not null;
            json["layer_types"] = new JsonArray([.. Enumerable.Range(0, config.LayerCount)
                .Select(i => JsonValue.Create(config.WindowOf(i) is null ? "full_attention" : "sliding_attention"))]);
        }
        if (config.StoredType is { } stored) json["torch_dtype"] = stored.ToString().ToLowerInvariant();
        return json.ToJsonString(Indented) + "\n";
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="Errors.RunFailedException">The file cannot be written.</exception>
    public static void Write(ModelConfig config, string path) => AtomicFile.WriteAllText(path, ToJson(config));

    private static JsonNode? EndTokens(IReadOnlyList<int> ids) => ids.Count switch
    {
        0 => null,
        1 => JsonValue.Create(ids[0]),
        _ => new JsonArray([.. ids.Select(id => JsonValue.Create(id))]),
    };

    private static JsonObject? RopeScaling(RopeConfig rope)
    {
        switch (rope.Type)
        {
            case RopeType.Linear:
                return new JsonObject { ["rope_type"] = "linear", ["factor"] = rope.Factor };
            case RopeType.Llama3:
                return new JsonObject
                {
                    ["rope_type"] = "llama3",
                    ["factor"] = rope.Factor,
                    ["low_freq_factor"] = rope.LowFrequencyFactor,
                    ["high_freq_factor"] = rope.HighFrequencyFactor,
                    ["original_max_position_embeddings"] = rope.OriginalMaxPositions,
                };
            case RopeType.Yarn:
                var yarn = new JsonObject
                {
                    ["rope_type"] = "yarn",
                    ["factor"] = rope.Factor,
                    ["original_max_position_embeddings"] = rope.OriginalMaxPositions,
                    ["beta_fast"] = rope.BetaFast,
                    ["beta_slow"] = rope.BetaSlow,
                    ["truncate"] = rope.Truncate,
                };
                if (rope.AttentionFactor is { } factor) yarn["attention_factor"] = factor;
                if (rope.Mscale is { } mscale) yarn["mscale"] = mscale;
                if (rope.MscaleAllDimensions is { } all) yarn["mscale_all_dim"] = all;
                return yarn;
            default:
                return null;
        }
    }
}
