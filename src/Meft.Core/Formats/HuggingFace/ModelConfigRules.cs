using Meft.Core.Errors;

namespace Meft.Core.Formats.HuggingFace;

/// <summary>What the sizes and flags of a <see cref="ModelConfig"/> must fulfil; the errors speak in the keys of config.json.</summary>
internal static class ModelConfigRules
{
    /// <summary>More parameters are no model; up to here no product of sizes overflows.</summary>
    private const double MostParameters = 1e15;

    /// <exception cref="InvalidInputException">A size is not positive or contradicts another; the text holds both values.</exception>
    public static void Check(ModelConfig config, string? location)
    {
        ModelFamily.OfArchitecture(config.Architecture, location);
        CheckSizes(config, location);
        CheckLayers(config, location);
        CheckScales(config, location);
        CheckRope(config, config.Rope, "rope_theta", location);
        if (config.LocalRope is not null) CheckRope(config, config.LocalRope, "rope_local_base_freq", location);
    }

    private static void CheckSizes(ModelConfig config, string? location)
    {
        Positive("vocab_size", config.VocabularySize);
        Positive("hidden_size", config.HiddenSize);
        Positive("intermediate_size", config.IntermediateSize);
        Positive("num_hidden_layers", config.LayerCount);
        Positive("num_attention_heads", config.HeadCount);
        Positive("num_key_value_heads", config.KeyValueHeadCount);
        Positive("head_dim", config.HeadSize);
        Positive("max_position_embeddings", config.MaxPositions);
        if (config.SlidingWindow is { } window) Positive("sliding_window", window);
        var widest = Math.Max(((double)config.HeadCount + 2.0 * config.KeyValueHeadCount) * config.HeadSize, 2.0 * config.IntermediateSize);
        if (widest > int.MaxValue)
        {
            throw Wrong(
                $"num_attention_heads is {config.HeadCount}, head_dim {config.HeadSize} and intermediate_size {config.IntermediateSize}: a projection is {widest:E1} wide",
                $"projections of at most {int.MaxValue} numbers", location);
        }
        var parameters = config.HiddenSize * (2.0 * config.VocabularySize + config.LayerCount * 2 * widest);
        if (parameters > MostParameters)
        {
            throw Wrong(
                $"hidden_size is {config.HiddenSize}, vocab_size {config.VocabularySize}, num_hidden_layers {config.LayerCount}: {parameters:E1} parameters",
                $"at most {MostParameters:E0}", location);
        }
        if (config.HeadCount % config.KeyValueHeadCount != 0)
        {
            throw Wrong(
                $"num_attention_heads is {config.HeadCount}, which num_key_value_heads, {config.KeyValueHeadCount}, does not divide",
                "key and value heads that divide the query heads", location);
        }
        if (config.HeadSize % 2 != 0)
        {
            var reason = (long)config.HeadSize * config.HeadCount == config.HiddenSize ? $", hidden_size {config.HiddenSize} over num_attention_heads {config.HeadCount}" : "";
            throw Wrong($"head_dim is {config.HeadSize}{reason}", "an even head size, since rotary embeddings turn pairs", location);
        }
        if (!(config.NormEpsilon > 0)) throw Wrong($"rms_norm_eps is {config.NormEpsilon}", "a positive number", location);
        if (!(config.InitializerRange >= 0)) throw Wrong($"initializer_range is {config.InitializerRange}", "zero or a positive number", location);

        void Positive(string key, int value)
        {
            if (value < 1) throw Wrong($"{key} is {value}", "a whole number from 1", location);
        }
    }

    private static void CheckLayers(ModelConfig config, string? location)
    {
        if (config.SlidingLayers is { } sliding)
        {
            if (sliding.Count != config.LayerCount)
                throw Wrong($"layer_types names {sliding.Count} layers but num_hidden_layers is {config.LayerCount}", "one layer type a layer", location);
            if (config.SlidingWindow is null && sliding.Contains(true))
            {
                throw Wrong("layer_types has sliding_attention but sliding_window is null (or use_sliding_window is false)",
                    "a positive sliding_window, or full_attention only", location);
            }
        }
        if (config.RotaryLayers is { } rotary && rotary.Count != config.LayerCount)
            throw Wrong($"no_rope_layers names {rotary.Count} layers but num_hidden_layers is {config.LayerCount}", "one flag a layer", location);
    }

    private static void CheckScales(ModelConfig config, string? location)
    {
        Above0("embedding_multiplier", config.Multipliers.Embedding);
        Above0("residual_multiplier", config.Multipliers.Residual);
        Above0("logits_scaling", config.Multipliers.LogitDivisor);
        Above0("the attention multiplier", config.AttentionScale);
        if (config.SoftCaps.Attention is { } attention) Above0("attn_logit_softcapping", attention);
        if (config.SoftCaps.Logits is { } logits) Above0("final_logit_softcapping", logits);

        void Above0(string key, double value)
        {
            if (!(value > 0 && double.IsFinite(value))) throw Wrong($"{key} is {value}", "a positive number", location);
        }
    }

    private static void CheckRope(ModelConfig config, RopeConfig rope, string baseKey, string? location)
    {
        if (!(rope.Theta > 1)) throw Wrong($"{baseKey} is {rope.Theta}", "a number above 1", location);
        if (!(rope.PartialFactor is > 0 and <= 1)) throw Wrong($"partial_rotary_factor is {rope.PartialFactor}", "a number above 0, at most 1", location);
        var turned = rope.TurnedOf(config.HeadSize);
        if (turned < 2 || turned % 2 != 0)
        {
            throw Wrong($"partial_rotary_factor is {rope.PartialFactor} and head_dim {config.HeadSize}: {turned} numbers of a head are turned",
                "an even number of them, since rotary embeddings turn pairs", location);
        }
        if (rope.Type is RopeType.Linear or RopeType.Llama3 or RopeType.Yarn && !(rope.Factor >= 1))
            throw Wrong($"the rope factor is {rope.Factor}", "a number from 1", location);
        if (rope.Type is RopeType.Llama3 or RopeType.Yarn or RopeType.Longrope && rope.OriginalMaxPositions < 1)
            throw Wrong($"original_max_position_embeddings is {rope.OriginalMaxPositions}", "a whole number from 1", location);
        switch (rope.Type)
        {
            case RopeType.Llama3 when !(rope.LowFrequencyFactor > 0 && rope.HighFrequencyFactor > rope.LowFrequencyFactor):
                throw Wrong($"low_freq_factor is {rope.LowFrequencyFactor} and high_freq_factor is {rope.HighFrequencyFactor}",
                    "0 < low_freq_factor < high_freq_factor", location);
            case RopeType.Yarn when !(rope.BetaSlow > 0 && rope.BetaFast >= rope.BetaSlow):
                throw Wrong($"beta_slow is {rope.BetaSlow} and beta_fast is {rope.BetaFast}", "0 < beta_slow <= beta_fast", location);
            case RopeType.Longrope:
                CheckFactors("short_factor", rope.ShortFactors);
                CheckFactors("long_factor", rope.LongFactors);
                if (!(rope.Factor > 0)) throw Wrong($"the rope factor is {rope.Factor}", "a positive number", location);
                if (rope.AttentionFactor is { } given && !(given > 0)) throw Wrong($"attention_factor is {given}", "a positive number", location);
                break;
        }

        void CheckFactors(string key, IReadOnlyList<double> factors)
        {
            if (factors.Count != turned / 2)
                throw Wrong($"{key} has {factors.Count} numbers but {turned} of a head's {config.HeadSize} are turned", $"{turned / 2} numbers, one a pair", location);
            foreach (var factor in factors)
            {
                if (!(factor > 0)) throw Wrong($"{key} holds {factor}", "positive numbers", location);
            }
        }
    }

    private static InvalidInputException Wrong(string problem, string allowed, string? location) => new(problem, location, allowed);
}
