using Meft.Core.Errors;

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

    /// <summary>Rotary position embeddings.</summary>
    public RopeConfig Rope { get; init; } = new();

    /// <summary>Whether the query, key and value projections have biases.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Whether the attention's output projection has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>Whether the feed-forward projections have biases; <c>mlp_bias</c>.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Whether queries and keys are normalised head by head before they are rotated (Qwen3).</summary>
    public bool QueryKeyNorm { get; init; }

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

    /// <summary>The sliding window of one layer in tokens, null where the layer sees the whole row.</summary>
    public int? WindowOf(int layer) => SlidingLayers is null || SlidingLayers[layer] ? SlidingWindow : null;

    /// <summary>The number of weights, the tied head counted once.</summary>
    public long ParameterCount
    {
        get
        {
            long hidden = HiddenSize, queries = (long)HeadCount * HeadSize, keys = (long)KeyValueHeadCount * HeadSize;
            var attention = 2 * hidden * queries + 2 * hidden * keys;
            if (QueryKeyValueBias) attention += queries + 2 * keys;
            if (AttentionOutputBias) attention += hidden;
            if (QueryKeyNorm) attention += 2 * HeadSize;
            var feedForward = 3 * hidden * IntermediateSize + (FeedForwardBias ? 2L * IntermediateSize + hidden : 0);
            var ends = (TiedEmbeddings ? 1 : 2) * hidden * VocabularySize + hidden;
            return ends + LayerCount * (attention + feedForward + 2 * hidden);
        }
    }

    /// <summary>Checks that the sizes fit each other.</summary>
    /// <param name="location">The file the sizes come from, for the error text.</param>
    /// <exception cref="InvalidInputException">A size is not positive or contradicts another; the text holds both values.</exception>
    public void Validate(string? location = null)
    {
        ModelFamily.OfArchitecture(Architecture, location);
        Positive("vocab_size", VocabularySize);
        Positive("hidden_size", HiddenSize);
        Positive("intermediate_size", IntermediateSize);
        Positive("num_hidden_layers", LayerCount);
        Positive("num_attention_heads", HeadCount);
        Positive("num_key_value_heads", KeyValueHeadCount);
        Positive("head_dim", HeadSize);
        Positive("max_position_embeddings", MaxPositions);
        if (SlidingWindow is { } window) Positive("sliding_window", window);
        if (HeadCount % KeyValueHeadCount != 0)
        {
            throw Wrong($"num_attention_heads is {HeadCount}, which num_key_value_heads, {KeyValueHeadCount}, does not divide",
                "key and value heads that divide the query heads");
        }
        if (HeadSize % 2 != 0) throw Wrong($"head_dim is {HeadSize}", "an even head size, since rotary embeddings turn pairs");
        if (!(NormEpsilon > 0)) throw Wrong($"rms_norm_eps is {NormEpsilon}", "a positive number");
        if (!(InitializerRange >= 0)) throw Wrong($"initializer_range is {InitializerRange}", "zero or a positive number");
        if (SlidingLayers is not null && SlidingLayers.Count != LayerCount)
        {
            throw Wrong($"layer_types names {SlidingLayers.Count} layers but num_hidden_layers is {LayerCount}",
                "one layer type a layer");
        }
        if (SlidingLayers is not null && SlidingWindow is null && SlidingLayers.Contains(true))
        {
            throw Wrong("layer_types has sliding_attention but sliding_window is null (or use_sliding_window is false)",
                "a positive sliding_window, or full_attention only");
        }
        ValidateRope(location);

        void Positive(string key, int value)
        {
            if (value < 1) throw Wrong($"{key} is {value}", "a whole number from 1");
        }

        InvalidInputException Wrong(string problem, string allowed) => new(problem, location, allowed);
    }

    private void ValidateRope(string? location)
    {
        if (!(Rope.Theta > 1)) throw new InvalidInputException($"rope_theta is {Rope.Theta}", location, "a number above 1");
        if (Rope.Type == RopeType.Default) return;
        if (!(Rope.Factor >= 1)) throw new InvalidInputException($"the rope factor is {Rope.Factor}", location, "a number from 1");
        if (Rope.Type == RopeType.Linear) return;
        if (Rope.OriginalMaxPositions < 1)
        {
            throw new InvalidInputException($"original_max_position_embeddings is {Rope.OriginalMaxPositions}", location,
                "a whole number from 1");
        }
        if (Rope.Type == RopeType.Llama3 && !(Rope.LowFrequencyFactor > 0 && Rope.HighFrequencyFactor > Rope.LowFrequencyFactor))
        {
            throw new InvalidInputException(
                $"low_freq_factor is {Rope.LowFrequencyFactor} and high_freq_factor is {Rope.HighFrequencyFactor}", location,
                "0 < low_freq_factor < high_freq_factor");
        }
        if (Rope.Type == RopeType.Yarn && !(Rope.BetaSlow > 0 && Rope.BetaFast >= Rope.BetaSlow))
        {
            throw new InvalidInputException($"beta_slow is {Rope.BetaSlow} and beta_fast is {Rope.BetaFast}", location,
                "0 < beta_slow <= beta_fast");
        }
    }
}
