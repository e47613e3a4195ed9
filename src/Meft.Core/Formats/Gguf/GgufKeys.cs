using System.Text.RegularExpressions;

namespace Meft.Core.Formats.Gguf;

/// <summary>The keys of config.json and what a GGUF file's metadata call the same.</summary>
internal static partial class GgufKeys
{
    private static readonly Dictionary<string, string> OfArchitecture = new(StringComparer.Ordinal)
    {
        ["hidden_size"] = "embedding_length",
        ["intermediate_size"] = "feed_forward_length",
        ["num_hidden_layers"] = "block_count",
        ["num_attention_heads"] = "attention.head_count",
        ["num_key_value_heads"] = "attention.head_count_kv",
        ["head_dim"] = "attention.key_length",
        ["max_position_embeddings"] = "context_length",
        ["rms_norm_eps"] = "attention.layer_norm_rms_epsilon",
        ["sliding_window"] = "attention.sliding_window",
        ["rope_theta"] = "rope.freq_base",
        ["rope_local_base_freq"] = "rope.freq_base_swa",
        ["factor"] = "rope.scaling.factor",
        ["original_max_position_embeddings"] = "rope.scaling.original_context_length",
        ["beta_fast"] = "rope.scaling.yarn_beta_fast",
        ["beta_slow"] = "rope.scaling.yarn_beta_slow",
        ["attn_logit_softcapping"] = "attn_logit_softcapping",
        ["final_logit_softcapping"] = "final_logit_softcapping",
    };

    /// <summary>A text that speaks in the keys of config.json, in those of the file.</summary>
    /// <param name="text">The text.</param>
    /// <param name="metadata">The file's.</param>
    public static string Told(string text, GgufMetadata metadata)
    {
        var architecture = metadata.GetString("general.architecture");
        return ConfigKey().Replace(text, match => match.Groups["key"].Value switch
        {
            "vocab_size" => "the embedding's rows",
            "partial_rotary_factor" => $"{architecture}.rope.dimension_count over the size of a head",
            "eos_token_id" => "tokenizer.ggml.eos_token_id",
            var key when OfArchitecture.TryGetValue(key, out var name) => $"{architecture}.{name}",
            _ => match.Value,
        });
    }

    // "factor" alone is a word too: as a key it stands within its object or in quotes.
    [GeneratedRegex(@"'?(rope_(parameters|scaling)\.(full_attention\.|sliding_attention\.)?)(?<key>\w+)'?|(?<![\w.])(?<key>(?!factor\b)[a-z_]+)(?![\w.])", RegexOptions.CultureInvariant)]
    private static partial Regex ConfigKey();
}
