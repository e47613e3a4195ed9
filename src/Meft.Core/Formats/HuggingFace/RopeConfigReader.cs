namespace Meft.Core.Formats.HuggingFace;

/// <summary>Reads rotary position embeddings from a config.json in the old or the new spelling.</summary>
internal static class RopeConfigReader
{
    private static readonly Dictionary<string, RopeType> Types = new(StringComparer.Ordinal)
    {
        ["default"] = RopeType.Default,
        ["linear"] = RopeType.Linear,
        ["llama3"] = RopeType.Llama3,
        ["yarn"] = RopeType.Yarn,
    };

    /// <param name="file">The whole config.json.</param>
    /// <param name="maxPositions">The model's length, where no original length is given.</param>
    public static RopeConfig Read(ConfigObject file, int maxPositions)
    {
        var rope = file.Object("rope_parameters") ?? file.Object("rope_scaling");
        var theta = rope?.Number("rope_theta") ?? file.Number("rope_theta") ?? 10_000;
        if (rope is null) return new RopeConfig { Theta = theta };

        var type = ReadType(rope);
        if ((rope.Number("partial_rotary_factor") ?? file.Number("partial_rotary_factor") ?? 1) is var share and not 1)
            throw rope.Wrong("partial_rotary_factor", $"is {share}", "1: this architecture turns whole heads");
        var original = rope.Int("original_max_position_embeddings") ?? file.Int("original_max_position_embeddings") ?? maxPositions;
        return type switch
        {
            RopeType.Linear => new RopeConfig { Type = type, Theta = theta, Factor = Required("factor") },
            RopeType.Llama3 => new RopeConfig
            {
                Type = type,
                Theta = theta,
                Factor = Required("factor"),
                LowFrequencyFactor = Required("low_freq_factor"),
                HighFrequencyFactor = Required("high_freq_factor"),
                OriginalMaxPositions = original,
            },
            RopeType.Yarn => new RopeConfig
            {
                Type = type,
                Theta = theta,
                Factor = rope.Number("factor") ?? (double)maxPositions / original,
                OriginalMaxPositions = original,
                AttentionFactor = rope.Number("attention_factor"),
                // As in transformers, a zero counts as absent.
                BetaFast = rope.Number("beta_fast") is { } fast and not 0 ? fast : 32,
                BetaSlow = rope.Number("beta_slow") is { } slow and not 0 ? slow : 1,
                Mscale = rope.Number("mscale"),
                MscaleAllDimensions = rope.Number("mscale_all_dim"),
                Truncate = rope.Bool("truncate") ?? true,
            },
            _ => new RopeConfig { Theta = theta },
        };

        double Required(string key) => rope.Number(key) ?? throw rope.Wrong(key, "is missing", $"a number, for the rope type {type}");
    }

    private static RopeType ReadType(ConfigObject rope)
    {
        var key = rope.Has("rope_type") ? "rope_type" : "type";
        if (rope.String(key) is not { } name) return RopeType.Default;
        if (Types.TryGetValue(name, out var type)) return type;
        throw rope.Wrong(key, $"is '{name}', a rope type that is not known", string.Join(", ", Types.Keys.Order(StringComparer.Ordinal)));
    }
}
