namespace Meft.Core.Formats.HuggingFace;

/// <summary>What certain results are multiplied or divided by; 1 everywhere but in the families that say otherwise.</summary>
public sealed record Multipliers
{
    /// <summary>What embeddings are multiplied by, rounded to the model's type; Granite's <c>embedding_multiplier</c>, √D of Gemma.</summary>
    public double Embedding { get; init; } = 1;

    /// <summary>What a block's result is multiplied by before it is added to the hidden state; <c>residual_multiplier</c>.</summary>
    public double Residual { get; init; } = 1;

    /// <summary>What logits are divided by; <c>logits_scaling</c>.</summary>
    public double LogitDivisor { get; init; } = 1;

    /// <summary>What products of queries and keys are multiplied by; null: one over the root of the head size.</summary>
    public double? Attention { get; init; }
}

/// <summary>Bounds c that numbers approach smoothly: x becomes c·tanh(x / c). Null: no bound.</summary>
public sealed record SoftCaps
{
    /// <summary>Of the scaled products of queries and keys; <c>attn_logit_softcapping</c>.</summary>
    public double? Attention { get; init; }

    /// <summary>Of the logits; <c>final_logit_softcapping</c>.</summary>
    public double? Logits { get; init; }
}
