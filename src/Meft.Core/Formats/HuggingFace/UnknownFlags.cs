using System.Text.Json;

namespace Meft.Core.Formats.HuggingFace;

/// <summary>
/// Refuses keys of a config.json that may change what a model computes and that nothing here reads: a model that is computed without them would speak,
/// and be wrong. Keys that are null, false, zero or text change nothing, nor do those that every configuration of transformers may carry.
/// </summary>
internal static class UnknownFlags
{
    /// <summary>Keys that are read for every family, or that its definition gives no meaning.</summary>
    private static readonly HashSet<string> Read = new(StringComparer.Ordinal)
    {
        "architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim", "max_position_embeddings", "rms_norm_eps", "hidden_act", "hidden_activation", "initializer_range",
        "tie_word_embeddings", "dtype", "torch_dtype", "rope_theta", "rope_scaling", "rope_parameters", "original_max_position_embeddings",
        "partial_rotary_factor", "attention_bias", "mlp_bias", "sliding_window", "use_sliding_window", "max_window_layers", "layer_types",
    };

    /// <summary>What transformers' base configuration, training or a publisher's tools leave in the file.</summary>
    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal)
    {
        "use_cache", "cache_implementation", "return_dict", "output_hidden_states", "output_attentions", "output_scores", "return_dict_in_generate",
        "torchscript", "use_bfloat16", "pruned_heads", "tie_encoder_decoder", "is_decoder", "chunk_size_feed_forward", "finetuning_task", "id2label",
        "label2id", "num_labels", "tokenizer_class", "prefix", "task_specific_params", "problem_type", "tf_legacy_loss", "auto_map", "pretraining_tp",
        "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p",
        "min_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
        "num_return_sequences", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens",
        "seq_length", "max_sequence_length", "model_max_length", "logits_to_keep", "num_logits_to_keep", "gradient_checkpointing", "is_llama_config",
        "transformers.js_config", "unsloth_fixed", "interpolate_factor", "full_attn_mod", "use_flash_attn", "use_flash_attention", "use_flash_attention_2",
        "dual_chunk_attention_config", // of servers that cut long prompts into pieces; transformers' definition of Qwen 2 does not read it
    };

    private static readonly string[] HarmlessEndings = ["_token_id", "_token_ids", "_token_index", "_dropout", "_pdrop", "_version", "_prob"];

    /// <summary>Texts that say how a model computes, with what they may say.</summary>
    private static readonly Dictionary<string, string> Texts = new(StringComparer.Ordinal)
    {
        ["position_embedding_type"] = "rope",
        ["norm_type"] = "rms_norm",
    };

    /// <exception cref="UnsupportedModelException">A flag is on that is not known for the family; the text names it with its value.</exception>
    public static void Refuse(ConfigObject file, ModelFamily family)
    {
        foreach (var (key, value) in file.Entries)
        {
            if (Read.Contains(key) || Harmless.Contains(key) || IsNeutral(file, key, value, family) || IsReadFor(family, key)) continue;
            if (key.StartsWith('_') && key != "_sliding_window_pattern") continue;
            if (Array.Exists(HarmlessEndings, ending => key.EndsWith(ending, StringComparison.Ordinal))) continue;
            if (key == "quantization_config") throw file.Packed(key, value);
            throw file.Unread(
                key, value, $"{family.Architecture} is not known to have and which may change its numbers", $"the flags of {family.ModelType}'s definition");
        }
    }

    private static bool IsNeutral(ConfigObject file, string key, JsonElement value, ModelFamily family) => value.ValueKind switch
    {
        // The only one that means something where it is false: every token would see all others.
        JsonValueKind.True or JsonValueKind.False when key == "is_causal" => value.GetBoolean(),
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.String => !Texts.TryGetValue(key, out var allowed) || value.GetString() == allowed,
        JsonValueKind.Number => key switch
        {
            "embedding_multiplier" or "residual_multiplier" or "logits_scaling" => value.TryGetDouble(out var factor) && factor == 1,
            "sliding_window_pattern" or "_sliding_window_pattern" =>
                value.TryGetInt32(out var pattern) && family.Window == WindowRule.AllButEveryNth && pattern == family.DefaultFullEvery,
            // Published beside the key that is read (google/gemma-2-9b-it).
            "sliding_window_size" => value.TryGetInt32(out var size) && size == (file.Int("sliding_window") ?? 0),
            _ => value.TryGetDouble(out var number) && number == 0,
        },
        JsonValueKind.Array => value.GetArrayLength() == 0 || (key == "no_rope_layers"
            && value.EnumerateArray().All(flag => flag.ValueKind == JsonValueKind.Number && flag.TryGetInt32(out var one) && one == 1)),
        _ => false,
    };

    private static bool IsReadFor(ModelFamily family, string key) => key switch
    {
        "no_rope_layers" or "no_rope_layer_interval" => family.HasLayersWithoutPositions,
        "sliding_window_pattern" or "_sliding_window_pattern" => family.HasFullEveryKey,
        "rope_local_base_freq" => family.DefaultLocalTheta is not null,
        "query_pre_attn_scalar" => family.DefaultQueryScalar is not null,
        "embedding_multiplier" or "attention_multiplier" or "residual_multiplier" or "logits_scaling" => family.HasMultipliers,
        "attn_logit_softcapping" => family.CapsAttention,
        "final_logit_softcapping" => family.CapsLogits,
        _ => false,
    };
}
