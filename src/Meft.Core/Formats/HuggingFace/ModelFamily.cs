namespace Meft.Core.Formats.HuggingFace;

/// <summary>Whether a family's projections have biases.</summary>
internal enum BiasRule
{
    Never,
    Always,

    /// <summary>As the config.json says; without the key, no bias.</summary>
    AsConfigured,
}

/// <summary>Which layers of a family use a sliding window.</summary>
internal enum WindowRule
{
    /// <summary>No layer; a <c>sliding_window</c> in the file has no meaning.</summary>
    Never,

    /// <summary>All layers, where <c>sliding_window</c> is not null.</summary>
    EveryLayer,

    /// <summary>Those of <c>layer_types</c>, else from <c>max_window_layers</c> on, where <c>use_sliding_window</c> is true.</summary>
    AsLayerTypes,
}

/// <summary>
/// What a family's name stands for beyond the keys of its config.json, and the values that absent keys have
/// (those of the family's configuration class in transformers).
/// </summary>
public sealed record ModelFamily
{
    private static readonly ModelFamily[] All =
    [
        new()
        {
            Architecture = "LlamaForCausalLM", ModelType = "llama", DefaultMaxPositions = 2048,
            AttentionBias = BiasRule.AsConfigured, OutputBias = BiasRule.AsConfigured, FeedForwardBias = BiasRule.AsConfigured,
        },
        new()
        {
            Architecture = "MistralForCausalLM", ModelType = "mistral", DefaultMaxPositions = 131_072, DefaultKeyValueHeads = 8,
            Window = WindowRule.EveryLayer,
        },
        new()
        {
            Architecture = "Qwen2ForCausalLM", ModelType = "qwen2", DefaultMaxPositions = 32_768, DefaultKeyValueHeads = 32,
            AttentionBias = BiasRule.Always, Window = WindowRule.AsLayerTypes,
        },
        new()
        {
            Architecture = "Qwen3ForCausalLM", ModelType = "qwen3", DefaultMaxPositions = 32_768, DefaultKeyValueHeads = 32,
            DefaultHeadSize = 128, AttentionBias = BiasRule.AsConfigured, OutputBias = BiasRule.AsConfigured, QueryKeyNorm = true,
            Window = WindowRule.AsLayerTypes,
        },
    ];

    /// <summary>The architecture's name, as <c>architectures</c> of a config.json spells it.</summary>
    public required string Architecture { get; init; }

    /// <summary>The family's short name; <c>model_type</c>.</summary>
    public required string ModelType { get; init; }

    internal int DefaultMaxPositions { get; init; }

    /// <summary>Key and value heads where the key is absent; null: as many as query heads.</summary>
    internal int? DefaultKeyValueHeads { get; init; }

    /// <summary>Head size where the key is absent; null: hidden size over heads.</summary>
    internal int? DefaultHeadSize { get; init; }

    internal BiasRule AttentionBias { get; init; } = BiasRule.Never;

    internal BiasRule OutputBias { get; init; } = BiasRule.Never;

    internal BiasRule FeedForwardBias { get; init; } = BiasRule.Never;

    internal bool QueryKeyNorm { get; init; }

    internal WindowRule Window { get; init; } = WindowRule.Never;

    /// <summary>The architectures that can be read, in alphabetical order.</summary>
    public static IReadOnlyList<string> KnownArchitectures { get; } = [.. All.Select(f => f.Architecture).Order(StringComparer.Ordinal)];

    /// <summary>The family of an architecture.</summary>
    /// <exception cref="UnknownModelException">The architecture is not known; the text lists the known ones.</exception>
    public static ModelFamily OfArchitecture(string architecture, string? location = null) =>
        Array.Find(All, f => f.Architecture == architecture) ?? throw new UnknownModelException(
            $"the architecture '{architecture}' is not known", location, KnownArchitectures);

    /// <summary>The family of a model type.</summary>
    /// <exception cref="UnknownModelException">The model type is not known; the text lists the known ones.</exception>
    public static ModelFamily OfModelType(string modelType, string? location = null) =>
        Array.Find(All, f => f.ModelType == modelType) ?? throw new UnknownModelException(
            $"the model type '{modelType}' is not known", location, All.Select(f => f.ModelType).Order(StringComparer.Ordinal));
}
