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

    /// <summary>Those of <c>layer_types</c>, else those without positions, where <c>use_sliding_window</c> is true.</summary>
    WithoutPositions,

    /// <summary>Those of <c>layer_types</c>, else all but every n-th.</summary>
    AllButEveryNth,
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
        new()
        {
            Architecture = "SmolLM3ForCausalLM", ModelType = "smollm3", DefaultMaxPositions = 32_768, DefaultKeyValueHeads = 4, TiedByDefault = true,
            DefaultTheta = 2e6, AttentionBias = BiasRule.AsConfigured, OutputBias = BiasRule.AsConfigured, FeedForwardBias = BiasRule.AsConfigured,
            Window = WindowRule.WithoutPositions, DefaultWindow = null, HasLayersWithoutPositions = true,
        },
        new()
        {
            Architecture = "Olmo2ForCausalLM", ModelType = "olmo2", DefaultMaxPositions = 2048, DefaultNormEpsilon = 1e-5,
            AttentionBias = BiasRule.AsConfigured, OutputBias = BiasRule.AsConfigured, QueryKeyNorm = true, QueryKeyNormOverHeads = true,
            NormPlacement = NormPlacement.After, NormScaling = NormScaling.BeforeRounding,
        },
        new()
        {
            Architecture = "GraniteForCausalLM", ModelType = "granite", DefaultMaxPositions = 2048, HasMultipliers = true,
            AttentionBias = BiasRule.AsConfigured, OutputBias = BiasRule.AsConfigured, FeedForwardBias = BiasRule.AsConfigured,
        },
        new()
        {
            Architecture = "Phi3ForCausalLM", ModelType = "phi3", DefaultMaxPositions = 4096, DefaultOriginalMaxPositions = 4096, DefaultNormEpsilon = 1e-5,
            Window = WindowRule.EveryLayer, DefaultWindow = null, FusedProjections = true, TurnsPartOfHeads = true, YarnMeansLongRope = true,
        },
        new()
        {
            Architecture = "GemmaForCausalLM", ModelType = "gemma", DefaultMaxPositions = 8192, DefaultKeyValueHeads = 16, DefaultHeadSize = 256,
            ActivationKey = "hidden_activation", DefaultActivation = Activation.GeluTanh, TiedByDefault = true, ScalesEmbeddings = true,
            AttentionBias = BiasRule.AsConfigured, OutputBias = BiasRule.AsConfigured, NormScaling = NormScaling.OnePlusWeight,
        },
        new()
        {
            Architecture = "Gemma2ForCausalLM", ModelType = "gemma2", DefaultMaxPositions = 8192, DefaultKeyValueHeads = 4, DefaultHeadSize = 256,
            ActivationKey = "hidden_activation", DefaultActivation = Activation.GeluTanh, TiedByDefault = true, ScalesEmbeddings = true,
            AttentionBias = BiasRule.AsConfigured, OutputBias = BiasRule.AsConfigured, NormPlacement = NormPlacement.Around,
            NormScaling = NormScaling.OnePlusWeight, Window = WindowRule.AllButEveryNth, DefaultFullEvery = 2, DefaultQueryScalar = 256,
            SoftCaps = new SoftCaps { Attention = 50, Logits = 30 }, CapsAttention = true, CapsLogits = true,
        },
        new()
        {
            Architecture = "Gemma3ForCausalLM", ModelType = "gemma3_text", DefaultMaxPositions = 131_072, DefaultKeyValueHeads = 4, DefaultHeadSize = 256,
            ActivationKey = "hidden_activation", DefaultActivation = Activation.GeluTanh, TiedByDefault = true, ScalesEmbeddings = true,
            AttentionBias = BiasRule.AsConfigured, OutputBias = BiasRule.AsConfigured, NormPlacement = NormPlacement.Around,
            NormScaling = NormScaling.OnePlusWeight, QueryKeyNorm = true, Window = WindowRule.AllButEveryNth, DefaultFullEvery = 6,
            HasFullEveryKey = true, DefaultQueryScalar = 256, DefaultTheta = 1e6, DefaultLocalTheta = 1e4, CapsLogits = true,
        },
    ];

    /// <summary>How the first conversions of LLaMA spelt it.</summary>
    private const string EarlyLlama = "LLaMAForCausalLM";

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

    internal bool QueryKeyNormOverHeads { get; init; }

    internal NormPlacement NormPlacement { get; init; } = NormPlacement.Before;

    internal NormScaling NormScaling { get; init; } = NormScaling.AfterRounding;

    internal double DefaultNormEpsilon { get; init; } = 1e-6;

    /// <summary>The key that names the activation.</summary>
    internal string ActivationKey { get; init; } = "hidden_act";

    internal Activation DefaultActivation { get; init; } = Activation.Silu;

    /// <summary>Whether the head is the embedding where the file does not say.</summary>
    internal bool TiedByDefault { get; init; }

    internal bool FusedProjections { get; init; }

    internal WindowRule Window { get; init; } = WindowRule.Never;

    /// <summary>The sliding window where the key is absent.</summary>
    internal int? DefaultWindow { get; init; } = 4096;

    /// <summary>n of <see cref="WindowRule.AllButEveryNth"/>.</summary>
    internal int DefaultFullEvery { get; init; }

    /// <summary>Whether <c>sliding_window_pattern</c> gives another n.</summary>
    internal bool HasFullEveryKey { get; init; }

    /// <summary>Whether <c>no_rope_layers</c> names layers without rotary embeddings.</summary>
    internal bool HasLayersWithoutPositions { get; init; }

    internal double DefaultTheta { get; init; } = 10_000;

    /// <summary>The rope base of sliding layers where the file does not say; null: they have no rope of their own.</summary>
    internal double? DefaultLocalTheta { get; init; }

    /// <summary>The original length of a rope that is stretched, where the file does not say; null: the model's length.</summary>
    internal int? DefaultOriginalMaxPositions { get; init; }

    /// <summary>Whether <c>partial_rotary_factor</c> may leave a part of each head unturned.</summary>
    internal bool TurnsPartOfHeads { get; init; }

    /// <summary>Whether the rope types su and yarn are older names of longrope.</summary>
    internal bool YarnMeansLongRope { get; init; }

    /// <summary>Whether <c>embedding_multiplier</c>, <c>attention_multiplier</c>, <c>residual_multiplier</c> and <c>logits_scaling</c> are read.</summary>
    internal bool HasMultipliers { get; init; }

    /// <summary>Whether embeddings are multiplied by the root of the hidden size.</summary>
    internal bool ScalesEmbeddings { get; init; }

    /// <summary>Attention scores are divided by the root of <c>query_pre_attn_scalar</c>, this number where the key is absent; null: by that of the head size.</summary>
    internal double? DefaultQueryScalar { get; init; }

    /// <summary>The bounds where the keys are absent.</summary>
    internal SoftCaps SoftCaps { get; init; } = new();

    internal bool CapsAttention { get; init; }

    internal bool CapsLogits { get; init; }

    /// <summary>The architectures that can be read, in alphabetical order.</summary>
    public static IReadOnlyList<string> KnownArchitectures { get; } = [.. All.Select(f => f.Architecture).Order(StringComparer.Ordinal)];

    /// <summary>The family of an architecture.</summary>
    /// <exception cref="UnknownModelException">The architecture is not known; the text lists the known ones.</exception>
    public static ModelFamily OfArchitecture(string architecture, string? location = null) =>
        Array.Find(All, f => f.Architecture == (architecture == EarlyLlama ? "LlamaForCausalLM" : architecture)) ?? throw new UnknownModelException(
            $"the architecture '{architecture}' is not known", location, KnownArchitectures,
            architecture.EndsWith("ForConditionalGeneration", StringComparison.Ordinal) ? "a .gguf file of a model of text and pictures holds its text part alone: name that" : null);

    /// <summary>The family of a model type.</summary>
    /// <exception cref="UnknownModelException">The model type is not known; the text lists the known ones.</exception>
    public static ModelFamily OfModelType(string modelType, string? location = null) =>
        Array.Find(All, f => f.ModelType == modelType) ?? throw new UnknownModelException(
            $"the model type '{modelType}' is not known", location, All.Select(f => f.ModelType).Order(StringComparer.Ordinal));
}
