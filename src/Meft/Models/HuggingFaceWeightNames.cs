using Meft.Core.Formats.HuggingFace;
using Meft.Models.Quantized;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>The one place that knows what Hugging Face calls a weight.</summary>
internal static class HuggingFaceWeightNames
{
    internal const string Embedding = "model.embed_tokens.weight";
    private const string FinalNorm = "model.norm.weight";
    internal const string Head = "lm_head.weight";
    private const string InputNorm = "input_layernorm";
    private const string QueryNorm = "self_attn.q_norm";
    private const string KeyNorm = "self_attn.k_norm";
    private const string PostAttentionNorm = "post_attention_layernorm";
    private const string PreFeedForwardNorm = "pre_feedforward_layernorm";
    private const string PostFeedForwardNorm = "post_feedforward_layernorm";

    /// <summary>The weights that a model of this config has, layer by layer, with their shapes.</summary>
    public static IEnumerable<WeightSpec> Of(ModelConfig config)
    {
        long hidden = config.HiddenSize;
        var norm = config.NormScaling == NormScaling.OnePlusWeight ? WeightKind.OffsetNorm : WeightKind.Norm;
        yield return new(Embedding, WeightKind.Matrix, config.VocabularySize, hidden);
        var modules = LinearModule.Of(config with { LayerCount = 1 }).ToList();
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            var prefix = LayerPrefix(layer);
            foreach (var name in NormsOf(config.NormPlacement)) yield return new($"{prefix}{name}.weight", norm, hidden);
            if (config.QueryKeyNorm)
            {
                var (queries, keys) = config.QueryKeyNormOverHeads ? (config.HeadCount, config.KeyValueHeadCount) : (1, 1);
                yield return new($"{prefix}{QueryNorm}.weight", norm, (long)queries * config.HeadSize);
                yield return new($"{prefix}{KeyNorm}.weight", norm, (long)keys * config.HeadSize);
            }
            foreach (var module in modules)
            {
                yield return new($"{prefix}{module.Name}.weight", WeightKind.Matrix, module.Outputs, module.Inputs);
                if (HasBias(config, LinearMapOf(module.Name))) yield return new($"{prefix}{module.Name}.bias", WeightKind.Bias, module.Outputs);
            }
        }
        yield return new(FinalNorm, norm, hidden);
        if (!config.TiedEmbeddings) yield return new(Head, WeightKind.Matrix, config.VocabularySize, hidden);
    }

    /// <summary>What a checkpoint may hold although the model has no such weight: a stored copy of a tied head, which must be its embedding.</summary>
    public static IEnumerable<WeightSpec> CopiesOf(ModelConfig config) =>
        config.TiedEmbeddings ? [new(Head, WeightKind.Matrix, config.VocabularySize, config.HiddenSize)] : [];

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
        // The norm called post_attention stands behind attention only where another one is called post_feedforward.
        var after = Norm(PostFeedForwardNorm);
        return new LayerWeights
        {
            AttentionNorm = Norm(InputNorm),
            Query = Map("self_attn.q_proj"),
            Key = Map("self_attn.k_proj"),
            Value = Map("self_attn.v_proj"),
            QueryKeyValue = Map("self_attn.qkv_proj"),
            QueryNorm = Norm(QueryNorm),
            KeyNorm = Norm(KeyNorm),
            Output = Map("self_attn.o_proj")!,
            AttentionPostNorm = after is null ? null : Norm(PostAttentionNorm),
            FeedForwardNorm = Norm(after is null ? PostAttentionNorm : PreFeedForwardNorm),
            Gate = Map("mlp.gate_proj"),
            Up = Map("mlp.up_proj"),
            GateUp = Map("mlp.gate_up_proj"),
            Down = Map("mlp.down_proj")!,
            FeedForwardPostNorm = after,
        };

        Tensor? Norm(string name) => tensors.GetValueOrDefault($"{prefix}{name}.weight");
        LinearWeights? Map(string name)
        {
            var weight = $"{prefix}{name}.weight";
            return tensors.TryGetValue(weight, out var tensor)
                ? new(tensor, tensors.GetValueOrDefault($"{prefix}{name}.bias"), packing) { Quantized = quantized?.Of(weight, tensor) }
                : null;
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
        "self_attn.qkv_proj" => LinearMap.QueryKeyValue,
        "mlp.gate_up_proj" => LinearMap.GateUp,
        _ => throw new ArgumentOutOfRangeException(nameof(module), module, "no linear map of a layer"),
    };

    /// <summary>
    /// Whether a checkpoint may hold this tensor although the model has no such weight: tables that are recomputed, and a
    /// stored copy of a tied head.
    /// </summary>
    public static bool MayBeIgnored(string name, ModelConfig config) =>
        name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (config.TiedEmbeddings && name == Head);

    private static string[] NormsOf(NormPlacement placement) => placement switch
    {
        NormPlacement.After => [PostAttentionNorm, PostFeedForwardNorm],
        NormPlacement.Around => [InputNorm, PostAttentionNorm, PreFeedForwardNorm, PostFeedForwardNorm],
        _ => [InputNorm, PostAttentionNorm],
    };

    private static bool HasBias(ModelConfig config, LinearMap map) => map switch
    {
        LinearMap.Query or LinearMap.Key or LinearMap.Value or LinearMap.QueryKeyValue => config.QueryKeyValueBias,
        LinearMap.Output => config.AttentionOutputBias,
        _ => config.FeedForwardBias,
    };
}
