namespace Meft.Core.Formats.HuggingFace;

/// <summary>A linear map of a decoder layer, by its Hugging Face name.</summary>
/// <param name="Layer">The layer's index.</param>
/// <param name="Name">Its name within the layer, for example <c>self_attn.q_proj</c>.</param>
/// <param name="Inputs">The length of the vectors it reads.</param>
/// <param name="Outputs">The length of the vectors it gives.</param>
public sealed record LinearModule(int Layer, string Name, int Inputs, int Outputs)
{
    /// <summary>Its name within the model, for example <c>model.layers.3.self_attn.q_proj</c>.</summary>
    public string FullName => $"model.layers.{Layer}.{Name}";

    /// <summary>The last part of its name, for example <c>q_proj</c>.</summary>
    public string ShortName => Name[(Name.LastIndexOf('.') + 1)..];

    /// <summary>A name, within the layer, for the vectors it reads: the same for modules that read the same ones.</summary>
    public string InputName => ShortName switch
    {
        "q_proj" or "k_proj" or "v_proj" or "qkv_proj" => "attention input",
        "gate_proj" or "up_proj" or "gate_up_proj" => "feed-forward input",
        _ => ShortName,
    };

    /// <summary>The linear maps of a model's layers, layer by layer; the head is not among them.</summary>
    public static IEnumerable<LinearModule> Of(ModelConfig config)
    {
        int hidden = config.HiddenSize, inner = config.IntermediateSize;
        int queries = config.HeadCount * config.HeadSize, keys = config.KeyValueHeadCount * config.HeadSize;
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            if (config.FusedProjections)
            {
                yield return new(layer, "self_attn.qkv_proj", hidden, queries + 2 * keys);
            }
            else
            {
                yield return new(layer, "self_attn.q_proj", hidden, queries);
                yield return new(layer, "self_attn.k_proj", hidden, keys);
                yield return new(layer, "self_attn.v_proj", hidden, keys);
            }
            yield return new(layer, "self_attn.o_proj", queries, hidden);
            if (config.FusedProjections)
            {
                yield return new(layer, "mlp.gate_up_proj", hidden, 2 * inner);
            }
            else
            {
                yield return new(layer, "mlp.gate_proj", hidden, inner);
                yield return new(layer, "mlp.up_proj", hidden, inner);
            }
            yield return new(layer, "mlp.down_proj", inner, hidden);
        }
    }
}
