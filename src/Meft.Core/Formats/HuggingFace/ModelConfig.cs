namespace Meft.Core.Formats.HuggingFace;

/// <summary>The activation function of the feed-forward block; <c>hidden_act</c>.</summary>
public enum Activation
{
    /// <summary>x · sigmoid(x); <c>silu</c>, also spelt <c>swish</c>.</summary>
    Silu,

    /// <summary>The exact Gaussian error linear unit; <c>gelu</c>.</summary>
    Gelu,

    /// <summary>Its tanh approximation; <c>gelu_pytorch_tanh</c>, also spelt <c>gelu_new</c>.</summary>
    GeluTanh,
}

/// <summary>The number type a checkpoint's weights are stored in; <c>dtype</c>, in older files <c>torch_dtype</c>.</summary>
public enum StoredType
{
    /// <summary>IEEE single precision, 4 bytes.</summary>
    Float32,

    /// <summary>IEEE half precision, 2 bytes.</summary>
    Float16,

    /// <summary>bfloat16, 2 bytes.</summary>
    BFloat16,
}

/// <summary>
/// One decoder-only transformer, described by sizes and flags: every supported family is a setting of these. Immutable.
/// Built by <see cref="ModelConfigReader"/> from a config.json, or in code for a model that starts from nothing.
/// </summary>
public sealed record ModelConfig
{
    /// <summary>The architecture's name, one of <see cref="ModelFamily.KnownArchitectures"/>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Tokens of the vocabulary; <c>vocab_size</c>.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>D, the width of the hidden states; <c>hidden_size</c>.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The width inside the feed-forward block; <c>intermediate_size</c>.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Layers; <c>num_hidden_layers</c>.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Query heads; <c>num_attention_heads</c>.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key and value heads, a divisor of the query heads; <c>num_key_value_heads</c>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>The width of one head; <c>head_dim</c>, else hidden size over heads.</summary>
    public required int HeadSize { get; init; }

    /// <summary>The longest row the model is made for, in tokens; <c>max_position_embeddings</c>.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>What root-mean-square norms add to the mean square; <c>rms_norm_eps</c>.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>The feed-forward block's activation.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>Where a layer's norms stand.</summary>
    public NormPlacement NormPlacement { get; init; } = NormPlacement.Before;

    /// <summary>How norms apply their weights.</summary>
    public NormScaling NormScaling { get; init; } = NormScaling.AfterRounding;

    /// <summary>Rotary position embeddings.</summary>
    public RopeConfig Rope { get; init; } = new();

    /// <summary>Those of the layers that use the sliding window, where they have their own (Gemma 3); null: as all layers.</summary>
    public RopeConfig? LocalRope { get; init; }

    /// <summary>Which layers have rotary position embeddings, one flag a layer (SmolLM3); null for all of them.</summary>
    public IReadOnlyList<bool>? RotaryLayers { get; init; }

    /// <summary>Whether the query, key and value projections have biases.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Whether the attention's output projection has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>Whether the feed-forward projections have biases; <c>mlp_bias</c>.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Whether queries and keys are normalised before they are rotated: head by head (Qwen3, Gemma 3) or as a whole.</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>Whether that norm goes over all heads at once, with a weight as wide as the projection (OLMo 2).</summary>
    public bool QueryKeyNormOverHeads { get; init; }

    /// <summary>
    /// Whether queries, keys and values are the rows, in that order, of one matrix (<c>qkv_proj</c>), and gate and up of another
    /// (<c>gate_up_proj</c>) (Phi-3).
    /// </summary>
    public bool FusedProjections { get; init; }

    /// <summary>What results are multiplied or divided by.</summary>
    public Multipliers Multipliers { get; init; } = new();

    /// <summary>The smooth bounds of attention scores and logits.</summary>
    public SoftCaps SoftCaps { get; init; } = new();

    /// <summary>Whether the head's matrix is the embedding's; <c>tie_word_embeddings</c>.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>How many last tokens, itself included, a token of a sliding layer sees; null where no layer slides.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Which layers use the sliding window, one flag a layer; null for all of them.</summary>
    public IReadOnlyList<bool>? SlidingLayers { get; init; }

    /// <summary>The standard deviation of freshly initialised matrices; <c>initializer_range</c>.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>The number type the weights are stored in; null where the file does not say.</summary>
    public StoredType? StoredType { get; init; }

    /// <summary>The id of the token a text begins with; <c>bos_token_id</c>.</summary>
    public int? BeginToken { get; init; }

    /// <summary>The ids of the tokens that end a text; <c>eos_token_id</c>, one or a list. Empty where there is none.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>The id of the token that fills short rows; <c>pad_token_id</c>.</summary>
    public int? PadToken { get; init; }

    /// <summary>What products of queries and keys are multiplied by.</summary>
    public double AttentionScale => Multipliers.Attention ?? 1 / Math.Sqrt(HeadSize);

    /// <summary>Norms of a layer beside those of queries and keys.</summary>
    public int NormsPerLayer => NormPlacement == NormPlacement.Around ? 4 : 2;

    /// <summary>The sliding window of one layer in tokens, null where the layer sees the whole row.</summary>
    public int? WindowOf(int layer) => SlidingLayers is null || SlidingLayers[layer] ? SlidingWindow : null;

    /// <summary>The rotary position embedding of one layer, null where it has none.</summary>
    public RopeConfig? RopeOf(int layer)
    {
        if (RotaryLayers is not null && !RotaryLayers[layer]) return null;
        return LocalRope is not null && WindowOf(layer) is not null ? LocalRope : Rope;
    }

    /// <summary>The number of weights, the tied head counted once.</summary>
    public long ParameterCount
    {
        get
        {
            long hidden = HiddenSize, queries = (long)HeadCount * HeadSize, keys = (long)KeyValueHeadCount * HeadSize;
            var attention = 2 * hidden * queries + 2 * hidden * keys;
            if (QueryKeyValueBias) attention += queries + 2 * keys;
            if (AttentionOutputBias) attention += hidden;
            if (QueryKeyNorm) attention += QueryKeyNormOverHeads ? queries + keys : 2 * HeadSize;
            var feedForward = 3 * hidden * IntermediateSize + (FeedForwardBias ? 2L * IntermediateSize + hidden : 0);
            var ends = (TiedEmbeddings ? 1 : 2) * hidden * VocabularySize + hidden;
            return ends + LayerCount * (attention + feedForward + NormsPerLayer * hidden);
        }
    }

    /// <summary>Checks that the sizes fit each other.</summary>
    /// <param name="location">The file the sizes come from, for the error text.</param>
    /// <exception cref="Errors.InvalidInputException">A size is not positive or contradicts another; the text holds both values.</exception>
    public void Validate(string? location = null) => ModelConfigRules.Check(this, location);
}
