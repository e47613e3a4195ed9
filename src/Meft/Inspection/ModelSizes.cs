using System.Text.Json.Serialization;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Inspection;

/// <summary>A model's sizes and what its family has beyond them.</summary>
public sealed record ModelSizes
{
    /// <summary>The architecture's name.</summary>
    public required string Architecture { get; init; }

    /// <summary>The family's short name, <c>model_type</c> of its config.json.</summary>
    public required string Family { get; init; }

    /// <summary>Weights, a tied head counted once.</summary>
    public required long Parameters { get; init; }

    /// <summary>Layers.</summary>
    public required int Layers { get; init; }

    /// <summary>D.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The width inside the feed-forward block.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>The feed-forward block's activation.</summary>
    public required string Activation { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>The width of a head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Tokens of the vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The longest row.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Whether the head is the embedding.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>Rotary embeddings.</summary>
    public required RopeFacts Rope { get; init; }

    /// <summary>Those of sliding layers where they have their own; else null.</summary>
    public RopeFacts? LocalRope { get; init; }

    /// <summary>Layers without rotary embeddings.</summary>
    public int LayersWithoutRope { get; init; }

    /// <summary>Tokens that a sliding layer sees; null where none slides.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Layers that slide.</summary>
    public int SlidingLayers { get; init; }

    /// <summary>Where a layer's norms stand: before, after or around its blocks.</summary>
    public required string Norms { get; init; }

    /// <summary>Whether queries and keys are normed.</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>Whether queries, keys and values lie in one matrix, gate and up in another.</summary>
    public bool FusedProjections { get; init; }

    /// <summary>The maps that have biases: <c>query_key_value</c>, <c>attention_output</c>, <c>feed_forward</c>.</summary>
    public IReadOnlyList<string> Biases { get; init; } = [];

    /// <summary>What embeddings are multiplied by; null for nothing.</summary>
    public double? EmbeddingMultiplier { get; init; }

    /// <summary>What a block's result is multiplied by before it is added; null for nothing.</summary>
    public double? ResidualMultiplier { get; init; }

    /// <summary>What logits are divided by; null for nothing.</summary>
    public double? LogitDivisor { get; init; }

    /// <summary>What products of queries and keys are multiplied by; null: one over the root of the head size.</summary>
    public double? AttentionMultiplier { get; init; }

    /// <summary>The bound of attention's scores; null for none.</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>The bound of the logits; null for none.</summary>
    public double? LogitSoftCap { get; init; }

    /// <summary>The type that config.json names; null where it names none.</summary>
    [JsonPropertyName("dtype")]
    public string? DType { get; init; }

    /// <summary>The sizes of a config.</summary>
    internal static ModelSizes Of(ModelConfig config)
    {
        var layers = Enumerable.Range(0, config.LayerCount);
        return new ModelSizes
        {
            Architecture = config.Architecture,
            Family = ModelFamily.OfArchitecture(config.Architecture).ModelType,
            Parameters = config.ParameterCount,
            Layers = config.LayerCount,
            HiddenSize = config.HiddenSize,
            IntermediateSize = config.IntermediateSize,
            Activation = ChoiceName.Of(config.Activation),
            Heads = config.HeadCount,
            KeyValueHeads = config.KeyValueHeadCount,
            HeadSize = config.HeadSize,
            VocabularySize = config.VocabularySize,
            MaxPositions = config.MaxPositions,
            TiedEmbeddings = config.TiedEmbeddings,
            Rope = RopeFacts.Of(config.Rope, config.HeadSize),
            LocalRope = config.LocalRope is { } local ? RopeFacts.Of(local, config.HeadSize) : null,
            LayersWithoutRope = layers.Count(layer => config.RopeOf(layer) is null),
            SlidingWindow = config.SlidingWindow,
            SlidingLayers = layers.Count(layer => config.WindowOf(layer) is not null),
            Norms = ChoiceName.Of(config.NormPlacement),
            QueryKeyNorm = config.QueryKeyNorm,
            FusedProjections = config.FusedProjections,
            Biases = [.. BiasesOf(config)],
            EmbeddingMultiplier = OtherThanOne(config.Multipliers.Embedding),
            ResidualMultiplier = OtherThanOne(config.Multipliers.Residual),
            LogitDivisor = OtherThanOne(config.Multipliers.LogitDivisor),
            AttentionMultiplier = config.Multipliers.Attention,
            AttentionSoftCap = config.SoftCaps.Attention,
            LogitSoftCap = config.SoftCaps.Logits,
            DType = config.StoredType is { } stored ? stored.ToString().ToLowerInvariant() : null,
        };
    }

    private static double? OtherThanOne(double factor) => factor == 1 ? null : factor;

    private static IEnumerable<string> BiasesOf(ModelConfig config)
    {
        if (config.QueryKeyValueBias) yield return "query_key_value";
        if (config.AttentionOutputBias) yield return "attention_output";
        if (config.FeedForwardBias) yield return "feed_forward";
    }
}

/// <summary>Rotary position embeddings.</summary>
/// <param name="Type">The type, as config.json names it.</param>
/// <param name="Theta">The base of the frequencies.</param>
/// <param name="Factor">By how much positions or the length are stretched; null for the type that does not stretch.</param>
/// <param name="OriginalMaxPositions">The length before stretching; null where the type has none.</param>
/// <param name="Turned">How many numbers of a head are turned.</param>
public sealed record RopeFacts(string Type, double Theta, double? Factor, int? OriginalMaxPositions, int Turned)
{
    internal static RopeFacts Of(RopeConfig rope, int headSize) => new(
        ChoiceName.Of(rope.Type), rope.Theta, rope.Type == RopeType.Default ? null : rope.Factor,
        rope.Type is RopeType.Default or RopeType.Linear ? null : rope.OriginalMaxPositions, rope.TurnedOf(headSize));
}
