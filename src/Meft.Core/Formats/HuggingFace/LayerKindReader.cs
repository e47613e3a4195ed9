namespace Meft.Core.Formats.HuggingFace;

/// <summary>Reads from a config.json which layers slide a window over their rows and which have rotary embeddings.</summary>
internal static class LayerKindReader
{
    private const string Sliding = "sliding_attention";

    /// <summary>One flag a layer; null where all have rotary embeddings.</summary>
    public static IReadOnlyList<bool>? ReadRotaryLayers(ConfigObject file, ModelFamily family, int layers)
    {
        if (!family.HasLayersWithoutPositions) return null;
        if (!file.Has("no_rope_layers"))
        {
            var interval = file.Int("no_rope_layer_interval") ?? 4;
            if (interval < 1) throw file.Wrong("no_rope_layer_interval", $"is {interval}", "a whole number from 1");
            return AllOrNull(Enumerable.Range(1, Math.Max(layers, 0)).Select(layer => layer % interval != 0));
        }
        var flags = file.Ints("no_rope_layers");
        foreach (var flag in flags)
        {
            if (flag is not (0 or 1)) throw file.Wrong("no_rope_layers", $"holds {flag}", "1 for a layer with rotary embeddings, 0 for one without");
        }
        // The list may be longer than the model is deep.
        return AllOrNull(flags.Take(Math.Max(layers, 0)).Select(flag => flag == 1), whole: flags.Count >= layers);
    }

    /// <summary>The window in tokens, and which layers have it; null for all of them.</summary>
    public static (int? Window, IReadOnlyList<bool>? Layers) ReadWindow(
        ConfigObject file, ModelFamily family, int layers, IReadOnlyList<bool>? rotaryLayers)
    {
        var window = file.Mentions("sliding_window") ? file.Int("sliding_window") : family.DefaultWindow;
        if (family.Window is WindowRule.Never) return (null, null);
        if (family.Window is WindowRule.EveryLayer) return (window, null);
        if (family.Window is WindowRule.AsLayerTypes or WindowRule.WithoutPositions && !(file.Bool("use_sliding_window") ?? false)) window = null;
        if (file.Strings("layer_types") is { } types) return (window, ReadLayerTypes(file, types));
        // Where the family always has sliding layers, a window that is null is a contradiction, which the config's own check names.
        if (window is null && family.Window is not WindowRule.AllButEveryNth) return (null, null);
        var all = Enumerable.Range(0, Math.Max(layers, 0));
        switch (family.Window)
        {
            case WindowRule.AsLayerTypes:
                var first = file.Int("max_window_layers") ?? 28;
                return (window, all.Select(layer => layer >= first).ToArray());
            case WindowRule.WithoutPositions:
                return (window, all.Select(layer => layer < rotaryLayers?.Count && !rotaryLayers[layer]).ToArray());
            default:
                var every = ReadFullEvery(file, family);
                return (window, all.Select(layer => (layer + 1) % every != 0).ToArray());
        }
    }

    private static int ReadFullEvery(ConfigObject file, ModelFamily family)
    {
        if (!family.HasFullEveryKey) return family.DefaultFullEvery;
        var key = file.Has("sliding_window_pattern") ? "sliding_window_pattern" : "_sliding_window_pattern";
        var every = file.Int(key) ?? family.DefaultFullEvery;
        return every >= 1 ? every : throw file.Wrong(key, $"is {every}", "a whole number from 1");
    }

    private static bool[] ReadLayerTypes(ConfigObject file, IReadOnlyList<string> types)
    {
        foreach (var type in types)
        {
            if (type is not ("full_attention" or Sliding))
                throw file.Unsupported("layer_types", $"has the type '{type}', which is not known", $"full_attention, {Sliding}");
        }
        return [.. types.Select(type => type == Sliding)];
    }

    /// <summary>The flags; null where all are true, so that a model without exceptions is one config however it is written.</summary>
    private static bool[]? AllOrNull(IEnumerable<bool> flags, bool whole = true)
    {
        bool[] all = [.. flags];
        return whole && Array.TrueForAll(all, flag => flag) ? null : all;
    }
}
