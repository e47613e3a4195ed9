using System.Globalization;
using System.Text.Json.Nodes;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// The attention of the later Gemmas: layers with a window between such as see everything, capped scores and logits, a scale of its own for queries.
/// What files leave out is as llama.cpp has it.
/// </summary>
/// <param name="Period">Every so many layers one sees everything, where the file does not say otherwise.</param>
/// <param name="PeriodKey">Where the file may say otherwise; null where it cannot.</param>
/// <param name="DepthOfLargest">Layers of the family's largest model (27B), whose queries are scaled by hidden size over heads instead of the heads' size.</param>
/// <param name="DefaultWindow">Tokens that a layer with a window sees where the file does not say; 0 for all.</param>
/// <param name="HasOwnRope">Whether layers with a window turn positions by another base than the others.</param>
internal sealed record GgufLocalAttention(int Period, string? PeriodKey, int DepthOfLargest, int DefaultWindow, bool HasOwnRope)
{
    private const int LocalTheta = 10_000;

    /// <summary>What queries are multiplied by; zero where the file leaves it open.</summary>
    public const string Scale = "attention.scale";

    /// <summary>The bounds of scores and logits; zero where the file leaves them open.</summary>
    public static readonly string[] Caps = ["attn_logit_softcapping", "final_logit_softcapping"];

    /// <summary>Adds the keys of config.json to those that every family has.</summary>
    /// <param name="json">The config; its <c>rope_parameters</c> are those of the layers that see everything.</param>
    /// <param name="metadata">The file's.</param>
    /// <param name="sizes">The model's.</param>
    /// <param name="window">Tokens that a layer with a window sees; 0 where there is none.</param>
    public void AddTo(JsonObject json, GgufMetadata metadata, GgufModelConfig sizes, long window)
    {
        // A cap that the file does not state is the family's: null in config.json would be none.
        foreach (var cap in Caps)
        {
            if (Number(cap) is { } limit and not 0) json[cap] = limit;
        }
        // The scale of queries stands in few files.
        json["query_pre_attn_scalar"] = Number(Scale) is { } scale and not 0
            ? GgufRope.Shortest(1 / (scale * scale)) is var scalar and > 0 && double.IsFinite(scalar) ? scalar
                : throw metadata.Failure($"{sizes.Architecture}.{Scale}", $"the value is {scale.ToString(CultureInfo.InvariantCulture)}", "the number that queries are multiplied by, about one over the root of a head's size")
            : sizes.BlockCount == DepthOfLargest ? sizes.EmbeddingLength / sizes.HeadCount : sizes.HeadSize;
        var key = $"{sizes.Architecture}.{PeriodKey}";
        var period = PeriodKey is not null && metadata.FindInteger(key) is { } stated ? Math.Max(1, stated) : Period;
        json["layer_types"] = new JsonArray([.. Enumerable.Range(0, sizes.BlockCount)
            .Select(i => JsonValue.Create(window > 0 && (i + 1) % period != 0 ? "sliding_attention" : "full_attention"))]);
        if (!HasOwnRope) return;
        json["rope_parameters"] = new JsonObject
        {
            ["full_attention"] = json["rope_parameters"]!.DeepClone(),
            ["sliding_attention"] = new JsonObject { ["rope_theta"] = Number("rope.freq_base_swa") ?? LocalTheta, ["rope_type"] = "default" },
        };

        double? Number(string key) => metadata.FindNumber($"{sizes.Architecture}.{key}") is { } number ? GgufRope.Shortest(number) : null;
    }
}
