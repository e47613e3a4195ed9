using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// What a name in <c>general.architecture</c> stands for: the family of decoders, and how its converter names and changes tensors. A family
/// that is added to <see cref="ModelFamily"/> needs one entry here.
/// </summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Family">The family's architecture in config.json.</param>
/// <param name="ModelType">The family's <c>model_type</c>.</param>
internal sealed record GgufArchitecture(string Name, string Family, string ModelType)
{
    private static readonly Dictionary<string, string> GemmaNorms = new(StringComparer.Ordinal)
    {
        ["post_attention_norm"] = "post_attention_layernorm",
        ["ffn_norm"] = "pre_feedforward_layernorm",
        ["post_ffw_norm"] = "post_feedforward_layernorm",
    };

    private static readonly GgufArchitecture[] All =
    [
        new("llama", "LlamaForCausalLM", "llama") { PermutesHeads = true },
        new("qwen2", "Qwen2ForCausalLM", "qwen2") { WindowIsOfSomeLayers = true },
        new("qwen3", "Qwen3ForCausalLM", "qwen3") { WindowIsOfSomeLayers = true },
        new("gemma", "GemmaForCausalLM", "gemma") { NormShift = 1, UsesTanhGelu = true },
        new("gemma2", "Gemma2ForCausalLM", "gemma2")
        {
            NormShift = 1, UsesTanhGelu = true, LayerNames = GemmaNorms, LocalAttention = new(Period: 2, PeriodKey: null, DepthOfLargest: 46, DefaultWindow: 4096, HasOwnRope: false),
        },
        new("gemma3", "Gemma3ForCausalLM", "gemma3_text")
        {
            NormShift = 1, UsesTanhGelu = true, LayerNames = GemmaNorms, LocalAttention = new(Period: 6, PeriodKey: "attention.sliding_window_pattern", DepthOfLargest: 62, DefaultWindow: 0, HasOwnRope: true),
        },
        new("phi3", "Phi3ForCausalLM", "phi3")
        {
            LayerNames = new(StringComparer.Ordinal) { ["attn_qkv"] = "self_attn.qkv_proj", ["ffn_up"] = "mlp.gate_up_proj" },
        },
    ];

    /// <summary>The names of the architectures that can be read.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Where(IsReadable).Select(a => a.Name).Order(StringComparer.Ordinal)];

    /// <summary>
    /// Whether converters write query and key rows so that the two numbers of a rope rotation are neighbours; Hugging Face keeps them half a
    /// head apart.
    /// </summary>
    public bool PermutesHeads { get; init; }

    /// <summary>What converters add to the weights of norms: Gemma's norms multiply by one more than the weight.</summary>
    public float NormShift { get; init; }

    /// <summary>Whether the gate of its feed-forward blocks is the tanh form of GELU instead of SiLU.</summary>
    public bool UsesTanhGelu { get; init; }

    /// <summary>Whether a window may be some layers' alone, of which a file does not say which.</summary>
    public bool WindowIsOfSomeLayers { get; init; }

    /// <summary>How layers with a window alternate with others, where they do.</summary>
    public GgufLocalAttention? LocalAttention { get; init; }

    /// <summary>Names of modules within a layer that differ from the usual ones.</summary>
    public Dictionary<string, string> LayerNames { get; init; } = [];

    /// <summary>The architecture of a file.</summary>
    /// <exception cref="GgufException">The file names none, or one that cannot be read.</exception>
    public static GgufArchitecture Of(GgufMetadata metadata)
    {
        const string Key = "general.architecture";
        var name = metadata.GetString(Key);
        return Array.Find(All, a => a.Name == name && IsReadable(a))
            ?? throw metadata.Failure(Key, $"the architecture '{FileText.Shown(name)}' is unknown", string.Join(", ", Names));
    }

    /// <summary>Whether the decoder has the family.</summary>
    private static bool IsReadable(GgufArchitecture architecture) => ModelFamily.KnownArchitectures.Contains(architecture.Family);
}
