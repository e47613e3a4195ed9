using System.Globalization;
using System.Text.Json;

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
        ["longrope"] = RopeType.Longrope,
    };

    /// <summary>Keys that some rope type reads; <c>finetuned</c> is a note of YaRN's authors.</summary>
    private static readonly HashSet<string> KnownKeys = new(StringComparer.Ordinal)
    {
        "rope_type", "type", "rope_theta", "factor", "original_max_position_embeddings", "partial_rotary_factor", "low_freq_factor", "high_freq_factor",
        "attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim", "truncate", "short_factor", "long_factor", "finetuned",
    };

    /// <summary>The rope of a model's layers, and that of its sliding layers where they have their own.</summary>
    /// <param name="file">The whole config.json.</param>
    /// <param name="family">The family.</param>
    /// <param name="maxPositions">The model's length, where no original length is given.</param>
    public static (RopeConfig Rope, RopeConfig? Local) Read(ConfigObject file, ModelFamily family, int maxPositions)
    {
        var rope = OneOf(file, "rope_parameters", "rope_scaling");
        // transformers 5 writes one object a layer type where they differ.
        var sliding = rope?.Object("sliding_attention");
        rope = rope?.Object("full_attention") ?? (sliding is null ? rope : null);
        var one = Read(rope, file, family, "rope_theta", family.DefaultTheta, maxPositions);
        if (family.DefaultLocalTheta is { } usual) return (one, Read(sliding, file, family, "rope_local_base_freq", usual, maxPositions));
        if (sliding is not null) throw file.Unsupported("rope_parameters", "has sliding_attention", $"one rope for all layers, as {family.Architecture} has it");
        return (one, null);
    }

    /// <summary>
    /// The rope in whichever spelling it stands. Where it stands in both, the old one (which wins in transformers 5) may say nothing that the new one does not.
    /// </summary>
    private static ConfigObject? OneOf(ConfigObject file, string now, string before)
    {
        if (file.Object(now) is not { } rope) return file.Object(before);
        foreach (var (key, value) in file.Object(before)?.Entries ?? [])
        {
            if (value.ValueKind == JsonValueKind.Null) continue;
            var name = key == "type" ? "rope_type" : key;
            if (rope.Entries.Any(entry => entry.Key == name && JsonElement.DeepEquals(entry.Value, value))) continue;
            var said = rope.Entries.Where(entry => entry.Key == name).Select(entry => entry.Value.GetRawText()).FirstOrDefault() ?? "absent";
            throw file.Wrong(before, $"has {key} {value.GetRawText()} and {now} has it {said}", $"the same in both, or {now} alone");
        }
        return rope;
    }

    /// <param name="rope">The object of the rope; null where there is none.</param>
    /// <param name="file">The whole config.json.</param>
    /// <param name="family">The family.</param>
    /// <param name="baseKey">The key of the whole file that has the base where the object has none.</param>
    /// <param name="usualBase">The base where neither has it.</param>
    /// <param name="maxPositions">The model's length.</param>
    private static RopeConfig Read(ConfigObject? rope, ConfigObject file, ModelFamily family, string baseKey, double usualBase, int maxPositions)
    {
        const string ShareKey = "partial_rotary_factor", OriginalKey = "original_max_position_embeddings";
        foreach (var (key, outerKey) in new[] { ("rope_theta", baseKey), (ShareKey, ShareKey), (OriginalKey, OriginalKey) }) RequireOne(key, outerKey);
        var theta = rope?.Number("rope_theta") ?? file.Number(baseKey) ?? usualBase;
        var share = rope?.Number(ShareKey) ?? file.Number(ShareKey) ?? 1;
        if (share != 1 && !family.TurnsPartOfHeads)
            throw (rope ?? file).Unsupported("partial_rotary_factor", $"is {share}", "1: this architecture turns whole heads");
        if (rope is null) return new RopeConfig { Theta = theta, PartialFactor = share };

        var type = ReadType(rope, family);
        RefuseUnknown(rope);
        var original = rope.Int(OriginalKey) ?? file.Int(OriginalKey) ?? family.DefaultOriginalMaxPositions ?? maxPositions;
        return type switch
        {
            RopeType.Linear => new RopeConfig { Type = type, Theta = theta, PartialFactor = share, Factor = Required("factor") },
            RopeType.Llama3 => new RopeConfig
            {
                Type = type,
                Theta = theta,
                PartialFactor = share,
                Factor = Required("factor"),
                LowFrequencyFactor = Required("low_freq_factor"),
                HighFrequencyFactor = Required("high_freq_factor"),
                OriginalMaxPositions = original,
            },
            RopeType.Yarn => new RopeConfig
            {
                Type = type,
                Theta = theta,
                PartialFactor = share,
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
            RopeType.Longrope => new RopeConfig
            {
                Type = type,
                Theta = theta,
                PartialFactor = share,
                Factor = rope.Number("factor") ?? (double)maxPositions / original,
                OriginalMaxPositions = original,
                AttentionFactor = rope.Number("attention_factor"),
                ShortFactors = RequiredList("short_factor"),
                LongFactors = RequiredList("long_factor"),
            },
            _ => new RopeConfig { Theta = theta, PartialFactor = share },
        };

        // What the rope's object says and what the whole file says may not contradict each other.
        void RequireOne(string key, string outerKey)
        {
            if (rope?.Number(key) is { } one && file.Number(outerKey) is { } other && one != other)
                throw rope.Wrong(key, $"is {one.ToString(CultureInfo.InvariantCulture)}", $"{other.ToString(CultureInfo.InvariantCulture)}, as {outerKey} of the whole file says");
        }

        double Required(string key) => rope.Number(key) ?? throw rope.Wrong(key, "is missing", $"a number, for the rope type {Name(type)}");
        IReadOnlyList<double> RequiredList(string key) =>
            rope.Numbers(key) ?? throw rope.Wrong(key, "is missing", $"a list of numbers, one a turned pair, for the rope type {Name(type)}");
    }

    /// <summary>A number, a list or a flag that is on and that nothing reads may change how positions are turned.</summary>
    private static void RefuseUnknown(ConfigObject rope)
    {
        foreach (var (key, value) in rope.Entries)
        {
            if (KnownKeys.Contains(key) || value.ValueKind is JsonValueKind.Null or JsonValueKind.False or JsonValueKind.String) continue;
            throw rope.Unread(
                key, value, "nothing here reads and which may change how positions are turned", string.Join(", ", KnownKeys.Order(StringComparer.Ordinal)));
        }
    }

    private static string Name(RopeType type) => type.ToString().ToLowerInvariant();

    private static RopeType ReadType(ConfigObject rope, ModelFamily family)
    {
        var key = rope.Has("rope_type") ? "rope_type" : "type";
        if (rope.String(key) is not { } name) return RopeType.Default;
        if (family.YarnMeansLongRope)
        {
            if (name is "su" or "yarn") return RopeType.Longrope;
            if (name is not ("default" or "longrope")) throw rope.Unsupported(key, $"is '{name}'", $"default, longrope (su, yarn): {family.Architecture} has no other");
        }
        if (Types.TryGetValue(name, out var type)) return type;
        throw rope.Unsupported(key, $"is '{name}', a rope type that is not known", string.Join(", ", Types.Keys.Order(StringComparer.Ordinal)));
    }
}
