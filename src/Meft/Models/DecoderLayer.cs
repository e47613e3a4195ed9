using Meft.Core.Formats.HuggingFace;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// A layer of a decoder: attention, then feed-forward with the adapter beside it, with norms before them, behind them or both, and residual
/// additions. What makes a family is a flag of <see cref="ModelConfig"/>.
/// </summary>
/// <param name="config">The model's sizes and flags, the same for all layers but where they tell layers apart.</param>
internal sealed class DecoderLayer(ModelConfig config)
{
    /// <summary>h [T, D] → [T, D]; what is made on the way stays in the caller's scope.</summary>
    /// <param name="layer">The layer's index.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="h">[T, D], the hidden states of the layout's tokens.</param>
    /// <param name="layout">Where the tokens stand.</param>
    /// <param name="cache">Earlier tokens of the rows, to which these are added; null where the rows begin here.</param>
    /// <param name="adapter">What runs beside the frozen weights.</param>
    public Tensor Forward(int layer, LayerWeights weights, Tensor h, TokenLayout layout, KeyValueCache? cache, IDecoderAdapter? adapter)
    {
        var maps = new AdaptedMaps(layer, adapter, decoding: cache is not null);
        var attended = Residual(h, Attend(layer, weights, maps, Norm(h, weights.AttentionNorm), layout, cache), weights.AttentionPostNorm);
        var x = Norm(attended, weights.FeedForwardNorm);
        using var call = adapter is IOverlappingAdapter { Overlaps: true } overlapping && overlapping.Adapts(layer) ? overlapping.Begin(layer, x) : null;
        var y = FeedForward(weights, maps, x);
        if (call is not null) y = y.Plus(call.Finish());
        else if (adapter is IFeedForwardAdapter beside && beside.Adapts(layer)) y = y.Plus(beside.Apply(layer, x));
        return Residual(attended, y, weights.FeedForwardPostNorm);
    }

    /// <summary>The norm with a weight; x itself where there is none.</summary>
    public Tensor Norm(Tensor x, Tensor? weight) =>
        weight is null ? x : RootMeanSquareNorm.Apply(x, weight, config.NormEpsilon, config.NormScaling);

    // x [T, D] → [T, D].
    private Tensor Attend(int layer, LayerWeights weights, AdaptedMaps maps, Tensor x, TokenLayout layout, KeyValueCache? cache)
    {
        var (queries, keys, values) = Project(weights, maps, x);
        var q = Heads(queries, config.HeadCount, weights.QueryNorm);
        var k = Heads(keys, config.KeyValueHeadCount, weights.KeyNorm);
        var v = Heads(values, config.KeyValueHeadCount, norm: null);
        if (config.RopeOf(layer) is { } rope)
        {
            var rotary = layout.Rotary(rope, config.HeadSize, x.dtype);
            (q, k) = (rotary.Rotate(q), rotary.Rotate(k));
        }

        var terms = AttentionTerms.Of(config, layer);
        cache?.Write(layer, k, v, layout);
        var attended = cache is null || layout.Starts.All(start => start == 0)
            ? Attention.Within(q, k, v, layout, terms)
            : Attention.OverCache(q, cache, layer, layout, terms);
        return maps.Apply(LinearMap.Output, weights.Output, attended);
    }

    // x [T, D] → [T, H·hd] and twice [T, Hkv·hd].
    private (Tensor Queries, Tensor Keys, Tensor Values) Project(LayerWeights weights, AdaptedMaps maps, Tensor x)
    {
        if (weights.QueryKeyValue is not { } fused)
            return (maps.Apply(LinearMap.Query, weights.Query!, x), maps.Apply(LinearMap.Key, weights.Key!, x), maps.Apply(LinearMap.Value, weights.Value!, x));
        long keys = (long)config.KeyValueHeadCount * config.HeadSize;
        var parts = maps.Apply(LinearMap.QueryKeyValue, fused, x).split([(long)config.HeadCount * config.HeadSize, keys, keys], 1);
        return (parts[0], parts[1], parts[2]);
    }

    // x [T, n·hd] → [T, n, hd], normed head by head or all heads at once.
    private Tensor Heads(Tensor x, int count, Tensor? norm)
    {
        if (config.QueryKeyNormOverHeads) x = Norm(x, norm);
        var heads = x.view(-1, count, config.HeadSize);
        return config.QueryKeyNormOverHeads ? heads : Norm(heads, norm);
    }

    // x [T, D] → [T, D]: down(activation(gate(x)) · up(x)).
    private Tensor FeedForward(LayerWeights weights, AdaptedMaps maps, Tensor x)
    {
        var (gate, up) = GateAndUp(weights, maps, x);
        if (HostGatedUnit.KernelOf(config.Activation) is { } kernel && HostFloats.Takes(gate))
            return maps.Apply(LinearMap.Down, weights.Down, HostGatedUnit.Apply(gate, up, kernel));
        var activated = config.Activation switch
        {
            Activation.Silu => nn.functional.silu(gate),
            Activation.GeluTanh => nn.functional.gelu(gate, TorchSharp.Modules.GELU.Approximate.tanh, false), // arXiv 1606.08415
            _ => nn.functional.gelu(gate),
        };
        return maps.Apply(LinearMap.Down, weights.Down, activated * up);
    }

    // x [T, D] → twice [T, F].
    private static (Tensor Gate, Tensor Up) GateAndUp(LayerWeights weights, AdaptedMaps maps, Tensor x)
    {
        if (weights.GateUp is not { } fused) return (maps.Apply(LinearMap.Gate, weights.Gate!, x), maps.Apply(LinearMap.Up, weights.Up!, x));
        var both = maps.Apply(LinearMap.GateUp, fused, x).chunk(2, 1);
        return (both[0], both[1]);
    }

    // A block's result y goes back to the hidden state: h + m · norm(y).
    private Tensor Residual(Tensor h, Tensor y, Tensor? norm)
    {
        y = Norm(y, norm);
        return config.Multipliers.Residual is var multiplier and not 1 ? h.Plus(y.Times(multiplier)) : h.Plus(y);
    }
}
