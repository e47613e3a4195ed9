using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>The weights of a whole decoder.</summary>
internal sealed class DecoderWeights : IDisposable
{
    /// <summary>What may be spent on packed copies of frozen weights; nothing at first.</summary>
    public required PackingBudget Packing { get; init; }

    /// <summary>[V, D].</summary>
    public required Tensor Embedding { get; init; }

    /// <summary>One entry a layer.</summary>
    public required ILayerSource Layers { get; init; }

    /// <summary>[D].</summary>
    public required Tensor FinalNorm { get; init; }

    /// <summary>[V, D]; the embedding itself where the two are tied.</summary>
    public required LinearWeights Head { get; init; }

    /// <summary>Frees the packed copies and what the layers' source holds; the weights belong to the decoder.</summary>
    public void Dispose()
    {
        Head.Dispose();
        Layers.Dispose();
    }
}

/// <summary>The weights of one layer; H query heads, Hkv key and value heads of width hd, F wide inside the feed-forward block.</summary>
internal sealed class LayerWeights
{
    /// <summary>[D], before attention; null where it reads the hidden state as it is.</summary>
    public Tensor? AttentionNorm { get; init; }

    /// <summary>[H·hd, D]; null where fused.</summary>
    public LinearWeights? Query { get; init; }

    /// <summary>[Hkv·hd, D]; null where fused.</summary>
    public LinearWeights? Key { get; init; }

    /// <summary>[Hkv·hd, D]; null where fused.</summary>
    public LinearWeights? Value { get; init; }

    /// <summary>[(H + 2·Hkv)·hd, D]: query, key and value rows; null where these are apart.</summary>
    public LinearWeights? QueryKeyValue { get; init; }

    /// <summary>[hd] or [H·hd], or null where queries are not normalised.</summary>
    public Tensor? QueryNorm { get; init; }

    /// <summary>[hd] or [Hkv·hd], or null where keys are not normalised.</summary>
    public Tensor? KeyNorm { get; init; }

    /// <summary>[D, H·hd].</summary>
    public required LinearWeights Output { get; init; }

    /// <summary>[D], behind attention; null where its result is added as it is.</summary>
    public Tensor? AttentionPostNorm { get; init; }

    /// <summary>[D], before the feed-forward block; null where it reads the hidden state as it is.</summary>
    public Tensor? FeedForwardNorm { get; init; }

    /// <summary>[F, D]; null where fused.</summary>
    public LinearWeights? Gate { get; init; }

    /// <summary>[F, D]; null where fused.</summary>
    public LinearWeights? Up { get; init; }

    /// <summary>[2·F, D]: gate and up rows; null where these are apart.</summary>
    public LinearWeights? GateUp { get; init; }

    /// <summary>[D, F].</summary>
    public required LinearWeights Down { get; init; }

    /// <summary>[D], behind the feed-forward block and what runs beside it; null where the result is added as it is.</summary>
    public Tensor? FeedForwardPostNorm { get; init; }

    /// <summary>All linear maps.</summary>
    public IEnumerable<LinearWeights> LinearMaps =>
        new[] { Query, Key, Value, QueryKeyValue, Output, Gate, Up, GateUp, Down }.OfType<LinearWeights>();
}
