using System.Text.Json.Nodes;

namespace Meft.Core.Formats.HuggingFace;

/// <summary>Writes rotary position embeddings as a config.json states them.</summary>
internal static class RopeConfigWriter
{
    /// <summary>The value of <c>rope_scaling</c>; null for plain rotary embeddings.</summary>
    public static JsonObject? Scaling(RopeConfig rope)
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
            case RopeType.Longrope:
                var longRope = new JsonObject
                {
                    ["rope_type"] = "longrope",
                    ["type"] = "longrope",
                    ["factor"] = rope.Factor,
                    ["short_factor"] = Numbers(rope.ShortFactors),
                    ["long_factor"] = Numbers(rope.LongFactors),
                };
                if (rope.AttentionFactor is { } given) longRope["attention_factor"] = given;
                return longRope;
            default:
                return null;
        }
    }

    /// <summary>
    /// Adds the rope of sliding layers. A plain one has a key that transformers 4 and 5 read; another one only transformers 5 can state.
    /// </summary>
    public static void AddLocal(JsonObject json, RopeConfig global, RopeConfig local)
    {
        if (local.Type == RopeType.Default)
        {
            json["rope_local_base_freq"] = local.Theta;
            return;
        }
        json.Remove("rope_scaling");
        json["rope_parameters"] = new JsonObject { ["full_attention"] = Parameters(global), ["sliding_attention"] = Parameters(local) };
    }

    private static JsonObject Parameters(RopeConfig rope)
    {
        var parameters = Scaling(rope) ?? new JsonObject { ["rope_type"] = "default" };
        parameters["rope_theta"] = rope.Theta;
        return parameters;
    }

    private static JsonArray Numbers(IReadOnlyList<double> numbers) => new([.. numbers.Select(n => JsonValue.Create(n))]);
}
