namespace Meft.Inspection;

/// <summary>An adapter in a folder.</summary>
/// <param name="Kind">Its <c>peft_type</c>.</param>
/// <param name="BaseModel">The base it was trained on, as its config names it.</param>
/// <param name="Rank">R, neurons a layer; of an adapter of another kind its own rank.</param>
/// <param name="HiddenSize">D of its base.</param>
/// <param name="Experts">N, experts a layer.</param>
/// <param name="Probe">P, experts a token probes.</param>
/// <param name="TopK">k, neurons a token may activate.</param>
/// <param name="Gate">How routing numbers become coefficients.</param>
/// <param name="Layers">The adapted layers.</param>
/// <param name="Parameters">Its parameters; null where they are not known.</param>
/// <param name="Lora">What a LoRA adapter has besides.</param>
public sealed record AdapterFacts(
    string Kind, string? BaseModel, int? Rank, int? HiddenSize = null, int? Experts = null, int? Probe = null, int? TopK = null, string? Gate = null,
    IReadOnlyList<int>? Layers = null, long? Parameters = null, LoraFacts? Lora = null)
{
    /// <summary>The fingerprint of its base's config; null where it names none.</summary>
    public string? BaseConfigSha256 { get; init; }

    /// <summary>The fingerprint of the chat template that it was trained with; null where it was trained without one.</summary>
    public string? TemplateSha256 { get; init; }
}

/// <summary>A LoRA adapter.</summary>
/// <param name="Alpha">The numerator of the scale.</param>
/// <param name="Rslora">Whether the scale is alpha/√r instead of alpha/r.</param>
/// <param name="Dropout">The share of inputs that its training dropped.</param>
/// <param name="Targets">The adapted modules: names, or an expression for them.</param>
/// <param name="RankPattern">r of certain modules, by patterns of their names.</param>
/// <param name="AlphaPattern">Alpha of certain modules, by patterns of their names.</param>
/// <param name="Parameters">Numbers in its file; null where there is none.</param>
public sealed record LoraFacts(
    double Alpha, bool Rslora, double Dropout, string Targets, IReadOnlyDictionary<string, int> RankPattern,
    IReadOnlyDictionary<string, double> AlphaPattern, long? Parameters = null);
