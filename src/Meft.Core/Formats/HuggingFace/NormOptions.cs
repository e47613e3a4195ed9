namespace Meft.Core.Formats.HuggingFace;

/// <summary>Where the norms of a layer stand around its two blocks, attention and feed-forward.</summary>
public enum NormPlacement
{
    /// <summary>A block reads the normed hidden state: h + block(norm(h)).</summary>
    Before,

    /// <summary>A block's result is normed: h + norm(block(h)) (OLMo 2).</summary>
    After,

    /// <summary>Both: h + norm(block(norm(h))) (Gemma 2 and 3).</summary>
    Around,
}

/// <summary>How a root-mean-square norm applies its weight w to the quotient x / rms(x), which is computed in float32.</summary>
public enum NormScaling
{
    /// <summary>The quotient is rounded to the model's type, then multiplied by w.</summary>
    AfterRounding,

    /// <summary>Multiplied by w in float32, rounded once (OLMo 2).</summary>
    BeforeRounding,

    /// <summary>Multiplied by 1 + w in float32, rounded once (Gemma 2 and 3).</summary>
    OnePlusWeight,
}
