using System.Diagnostics.CodeAnalysis;

namespace Meft.Core.Formats.Gguf;

/// <summary>The Hugging Face names of tensors.</summary>
internal static class GgufTensorNames
{
    private static readonly Dictionary<string, string> OfModel = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "model.embed_tokens",
        ["output_norm"] = "model.norm",
        ["output"] = "lm_head",
    };

    private static readonly Dictionary<string, string> OfLayer = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm",
        ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj",
        ["attn_output"] = "self_attn.o_proj",
        ["attn_q_norm"] = "self_attn.q_norm",
        ["attn_k_norm"] = "self_attn.k_norm",
        ["ffn_norm"] = "post_attention_layernorm",
        ["ffn_gate"] = "mlp.gate_proj",
        ["ffn_up"] = "mlp.up_proj",
        ["ffn_down"] = "mlp.down_proj",
    };

    /// <summary>The Hugging Face name; null for a tensor without a place in an architecture.</summary>
    public static string? ToHuggingFace(string ggufName, GgufArchitecture architecture)
    {
        var dot = ggufName.LastIndexOf('.');
        if (dot < 0 || ggufName[dot..] is not (".weight" or ".bias")) return null;
        var (module, kind) = (ggufName[..dot], ggufName[dot..]);
        if (OfModel.TryGetValue(module, out var name)) return name + kind;
        var parts = module.Split('.');
        if (parts.Length != 3 || parts[0] != "blk" || !TryFindInLayer(parts[2], architecture, out name)) return null;
        // A number with zeros before it would be a second name of the same layer.
        var number = parts[1];
        if (!number.All(char.IsAsciiDigit) || number is "" or ['0', _, ..]) return null;
        return $"model.layers.{number}.{name}{kind}";
    }

    /// <summary>The name in a file of an architecture; null for a tensor that no such file has.</summary>
    public static string? FromHuggingFace(string name, GgufArchitecture architecture)
    {
        var dot = name.LastIndexOf('.');
        if (dot < 0) return null;
        var (module, kind) = (name[..dot], name[dot..]);
        if (OfModel.FirstOrDefault(pair => pair.Value == module).Key is { } ofModel) return ofModel + kind;
        const string Prefix = "model.layers.";
        if (!module.StartsWith(Prefix, StringComparison.Ordinal) || module.IndexOf('.', Prefix.Length) is not (> 0 and var end)) return null;
        var inLayer = module[(end + 1)..];
        var own = architecture.LayerNames.FirstOrDefault(pair => pair.Value == inLayer).Key
            ?? OfLayer.FirstOrDefault(pair => pair.Value == inLayer && !architecture.LayerNames.ContainsKey(pair.Key)).Key;
        return own is null ? null : $"blk.{module[Prefix.Length..end]}.{own}{kind}";
    }

    /// <summary>The heads by which rows of a tensor were permuted; 0 where they are in Hugging Face's order.</summary>
    public static int PermutedHeads(string ggufName, GgufModelConfig config, GgufArchitecture architecture)
    {
        if (!architecture.PermutesHeads) return 0;
        if (ggufName.Contains(".attn_q.", StringComparison.Ordinal)) return config.HeadCount;
        return ggufName.Contains(".attn_k.", StringComparison.Ordinal) ? config.HeadCountKv : 0;
    }

    /// <summary>The row in the file of a row in Hugging Face's order.</summary>
    /// <param name="row">The row: head, then half of the head, then place in the half.</param>
    /// <param name="headSize">The rows of a head; even.</param>
    /// <returns>The row: head, then place in the half, then half.</returns>
    public static long PermutedRow(long row, long headSize)
    {
        var (head, inHead) = (row / headSize, row % headSize);
        var (half, place) = (inHead / (headSize / 2), inHead % (headSize / 2));
        return head * headSize + 2 * place + half;
    }

    private static bool TryFindInLayer(string module, GgufArchitecture architecture, [NotNullWhen(true)] out string? name) =>
        architecture.LayerNames.TryGetValue(module, out name) || OfLayer.TryGetValue(module, out name);
}
