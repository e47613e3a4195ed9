namespace Meft.Core.Formats.HuggingFace;

/// <summary>How rotary position embeddings stretch beyond the length a model was first trained on.</summary>
public enum RopeType
{
    /// <summary>Plain rotary embeddings.</summary>
    Default,

    /// <summary>All frequencies divided by one factor.</summary>
    Linear,

    /// <summary>Llama 3: low frequencies divided by a factor, high ones kept, a smooth passage between.</summary>
    Llama3,

    /// <summary>YaRN (arXiv 2309.00071): a ramp between divided and kept frequencies, and a factor on cosines and sines.</summary>
    Yarn,

    /// <summary>
    /// LongRoPE (arXiv 2402.13753): every frequency divided by a factor of its own, by other factors where a row is longer than the original length; and
    /// a factor on cosines and sines.
    /// </summary>
    Longrope,
}

/// <summary>
/// Rotary position embedding, as <c>rope_parameters</c> (or <c>rope_theta</c> with <c>rope_scaling</c>) of a config.json states it.
/// Values that a type does not read keep their defaults.
/// </summary>
public sealed record RopeConfig
{
    /// <summary>The type; <c>rope_type</c>, in older files <c>type</c>.</summary>
    public RopeType Type { get; init; } = RopeType.Default;

    /// <summary>The base of the frequencies; <c>rope_theta</c>.</summary>
    public double Theta { get; init; } = 10_000;

    /// <summary>By how much positions are stretched (linear, llama3, yarn), or the length is (longrope); <c>factor</c>.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>llama3: wavelengths above original length / this are divided by the factor; <c>low_freq_factor</c>.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>llama3: wavelengths below original length / this are kept; <c>high_freq_factor</c>.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>The length before stretching, in tokens (llama3, yarn, longrope); <c>original_max_position_embeddings</c>.</summary>
    public int OriginalMaxPositions { get; init; }

    /// <summary>yarn, longrope: what cosines and sines are multiplied by; null to derive it from the factor; <c>attention_factor</c>.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>yarn: rotations within the original length above which a frequency is kept; <c>beta_fast</c>.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>yarn: rotations within the original length below which a frequency is divided; <c>beta_slow</c>.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>yarn: the numerator's scale of the derived attention factor; <c>mscale</c>.</summary>
    public double? Mscale { get; init; }

    /// <summary>yarn: the denominator's scale of the derived attention factor; <c>mscale_all_dim</c>.</summary>
    public double? MscaleAllDimensions { get; init; }

    /// <summary>yarn: whether the ramp's ends are rounded to whole dimensions; <c>truncate</c>.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>The share of a head's numbers, its first ones, that are turned; <c>partial_rotary_factor</c>.</summary>
    public double PartialFactor { get; init; } = 1;

    /// <summary>longrope: what the frequency of each pair is divided by in rows up to the original length; <c>short_factor</c>.</summary>
    public IReadOnlyList<double> ShortFactors { get; init; } = [];

    /// <summary>longrope: what it is divided by in longer rows; <c>long_factor</c>.</summary>
    public IReadOnlyList<double> LongFactors { get; init; } = [];

    /// <summary>
    /// What cosines and sines are multiplied by: <see cref="AttentionFactor"/>, or what follows from the stretching (YaRN, arXiv 2309.00071, equation 22;
    /// LongRoPE, arXiv 2402.13753), as transformers has it.
    /// </summary>
    public double CosineFactor => Type switch
    {
        RopeType.Yarn or RopeType.Longrope when AttentionFactor is { } given => given,
        // The two scales count only where both are given and neither is zero.
        RopeType.Yarn when Mscale is { } mscale and not 0 && MscaleAllDimensions is { } all and not 0 => YarnScale(mscale) / YarnScale(all),
        RopeType.Yarn => YarnScale(1),
        RopeType.Longrope when Factor > 1 => Math.Sqrt(1 + Math.Log(Factor) / Math.Log(OriginalMaxPositions)),
        _ => 1,
    };

    private double YarnScale(double weight) => Factor <= 1 ? 1 : 0.1 * weight * Math.Log(Factor) + 1;

    /// <summary>How many numbers of a head are turned.</summary>
    public int TurnedOf(int headSize) => (int)(headSize * PartialFactor);

    /// <summary>Whether a row that grows from one length to another gets other frequencies, for all of its tokens.</summary>
    public bool ChangesBetween(int length, int longer) =>
        Type == RopeType.Longrope && length > 0 && length <= OriginalMaxPositions && longer > OriginalMaxPositions;
}
