using Meft.Core.Formats.HuggingFace;
using Meft.Models.Quantized;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>The one place that knows what Hugging Face calls a weight.</summary>
internal static class HuggingFaceWeightNames
{
    private const string Embedding = "model.embed_tokens.weight";
    private const string FinalNorm = "model.norm.weight";
    private const string Head = "lm_head.weight";

    /// <summary>The weights that a model of this config has, layer by layer, with their shapes.</summary>
    public static IEnumerable<WeightSpec> Of(ModelConfig config)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize, head = config.HeadSize;
        long queries = config.HeadCount * head, keys = config.KeyValueHeadCount * head;
        yield return new(Embedding, WeightKind.Matrix, config.VocabularySize, hidden);
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            var prefix = $"model.layers.{layer}";
            yield return new($"{prefix}.input_layernorm.weight", WeightKind.Norm, hidden);
            foreach (var spec in Linear($"{prefix}.self_attn.q_proj", queries, hidden, config.QueryKeyValueBias)) yield return spec;
            foreach (var spec in Linear($"{prefix}.self_attn.k_proj", keys, hidden, config.QueryKeyValueBias)) yield return spec;
            foreach (var spec in Linear($"{prefix}.self_attn.v_proj", keys, hidden, config.QueryKeyValueBias)) yield return spec;
            foreach (var spec in Linear($"{prefix}.self_attn.o_proj", hidden, queries, config.AttentionOutputBias)) yield return spec;
            if (config.QueryKeyNorm)
            {
                yield return new($"{prefix}.self_attn.q_norm.weight", WeightKind.Norm, head);
                yield return new($"{prefix}.self_attn.k_norm.weight", WeightKind.Norm, head);
            }
            yield return new($"{prefix}.post_attention_layernorm.weight", WeightKind.Norm, hidden);
            foreach (var spec in Linear($"{prefix}.mlp.gate_proj", inner, hidden, config.FeedForwardBias)) yield return spec;
            foreach (var spec in Linear($"{prefix}.mlp.up_proj", inner, hidden, config.FeedForwardBias)) yield return spec;
            foreach (var spec in Linear($"{prefix}.mlp.down_proj", hidden, inner, config.FeedForwardBias)) yield return spec;
        }
        yield return new(FinalNorm, WeightKind.Norm, hidden);
        if (!config.TiedEmbeddings) yield return new(Head, WeightKind.Matrix, config.VocabularySize, hidden);
    }

    /// <summary>Puts tensors, all those of <see cref="Of"/> by name, into their places.</summary>
    /// <param name="config">The model's config.</param>
    /// <param name="tensors">All weights.</param>
    /// <param name="layers">Where the layers' weights come from; null: they stay where they are.</param>
    /// <param name="quantized">Which weights are held in blocks; null: none.</param>
    public static DecoderWeights Assemble(
        ModelConfig config, IReadOnlyDictionary<string, Tensor> tensors, ILayerSource? layers = null, QuantizedWeights? quantized = null)
    {
        var packing = new PackingBudget();
        return new DecoderWeights
        {
            Packing = packing,
            Embedding = tensors[Embedding],
            Layers = layers ?? new ResidentLayers([.. Enumerable.Range(0, config.LayerCount).Select(l => AssembleLayer(l, tensors, packing, quantized))]),
            FinalNorm = tensors[FinalNorm],
            Head = new LinearWeights(tensors[config.TiedEmbeddings ? Embedding : Head], null, packing),
        };
    }

    /// <summary>Puts the tensors of one layer into their places.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="tensors">Its weights, and perhaps others.</param>
    /// <param name="packing">What may be spent on packed copies; null for layers whose weights come and go.</param>
    /// <param name="quantized">Which weights are held in blocks; null: none.</param>
    public static LayerWeights AssembleLayer(
        int layer, IReadOnlyDictionary<string, Tensor> tensors, PackingBudget? packing = null, QuantizedWeights? quantized = null)
    {
        var prefix = LayerPrefix(layer);
        return new LayerWeights
        {
            AttentionNorm = tensors[$"{prefix}input_layernorm.weight"],
            Query = Map("self_attn.q_proj"),
            Key = Map("self_attn.k_proj"),
            Value = Map("self_attn.v_proj"),
            QueryNorm = tensors.GetValueOrDefault($"{prefix}self_attn.q_norm.weight"),
            KeyNorm = tensors.GetValueOrDefault($"{prefix}self_attn.k_norm.weight"),
            Output = Map("self_attn.o_proj"),
            FeedForwardNorm = tensors[$"{prefix}post_attention_layernorm.weight"],
            Gate = Map("mlp.gate_proj"),
            Up = Map("mlp.up_proj"),
            Down = Map("mlp.down_proj"),
        };

        LinearWeights Map(string name)
        {
            var weight = $"{prefix}{name}.weight";
            return new(tensors[weight], tensors.GetValueOrDefault($"{prefix}{name}.bias"), packing) { Quantized = quantized?.Of(weight, tensors[weight]) };
        }
    }

    /// <summary>Whether a weight belongs to a layer.</summary>
    public static bool IsOfLayer(string name) => name.StartsWith("model.layers.", StringComparison.Ordinal);

    /// <summary>What the names of a layer's weights begin with.</summary>
    public static string LayerPrefix(int layer) => $"model.layers.{layer}.";

    /// <summary>Which map a layer's module is, by its name within the layer, for example <c>self_attn.q_proj</c>.</summary>
    public static LinearMap LinearMapOf(string module) => module switch
    {
        "self_attn.q_proj" => LinearMap.Query,
        "self_attn.k_proj" => LinearMap.Key,
        "self_attn.v_proj" => LinearMap.Value,
        "self_attn.o_proj" => LinearMap.Output,
        "mlp.gate_proj" => LinearMap.Gate,
        "mlp.up_proj" => LinearMap.Up,
        "mlp.down_proj" => LinearMap.Down,
        _ => throw new ArgumentOutOfRangeException(nameof(module), module, "no linear map of a layer"),
    };

    /// <summary>
    /// Whether a checkpoint may hold this tensor although the model has no such weight: tables that are recomputed, and a
    /// stored copy of a tied head.
    /// </summary>
    public static bool MayBeIgnored(string name, ModelConfig config) =>
        name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (config.TiedEmbeddings && name == Head);

    private static IEnumerable<WeightSpec> Linear(string name, long outputs, long inputs, bool bias)
    {
        yield return new($"{name}.weight", WeightKind.Matrix, outputs, inputs);
        if (bias) yield return new($"{name}.bias", WeightKind.Bias, outputs);
    }
}
