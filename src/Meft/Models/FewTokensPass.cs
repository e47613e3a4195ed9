using Meft.Adapters;
using Meft.Core.Formats.HuggingFace;
using Meft.Kernels;
using Meft.Kernels.Attention;
using Meft.Kernels.Linear;
using Meft.Kernels.Rows;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// All layers and the final norm for a few new tokens behind a cache, in host memory and without gradients: what a step of generating is.
/// The same operations, in the same order and with the same roundings, as the decoder's own on tensors; but on plain memory, since at this
/// size an operation on tensors takes longer to call than to compute.
/// </summary>
internal sealed unsafe class FewTokensPass(ModelConfig config, DecoderWeights weights)
{
    /// <summary>From more tokens on, libtorch's linear maps are faster: the processor multiplies bfloat16 in pairs, which .NET does not offer.</summary>
    public const int MostTokens = 64;

    /// <summary>Whether a pass can be made here.</summary>
    /// <param name="h">[T, D], embedded.</param>
    /// <param name="layout">Where the tokens stand.</param>
    /// <param name="adapter">What runs beside the layers, or null.</param>
    public bool Takes(Tensor h, TokenLayout layout, IDecoderAdapter? adapter) =>
        layout.TokenCount <= MostTokens && HostFloats.Takes(h) && !is_grad_enabled() && h.dtype == weights.Embedding.dtype
        && config.Activation == Activation.Silu && adapter is null or IFewTokensAdapter;

    /// <summary>h [T, D], embedded → [T, D], normed, ready for the head; the cache has taken the tokens in.</summary>
    public Tensor Run(Tensor h, TokenLayout layout, KeyValueCache cache, IDecoderAdapter? adapter)
    {
        using var scope = NewDisposeScope();
        var result = h.clone().contiguous();
        var slots = cache.Open(layout);
        var step = new Step(config, result, layout, slots, adapter as IFewTokensAdapter);
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            weights.Layers.Prefetch((layer + 1) % config.LayerCount);
            step.RunLayer(layer, weights.Layers.Take(layer));
        }
        step.Norm(step.H, weights.FinalNorm, layout.TokenCount, config.HiddenSize, step.H);
        cache.Advance(layout);
        return result.MoveToOuterDisposeScope();
    }

    private static nint Address(Tensor tensor) => (nint)TensorMemory.Pointer(tensor);

    /// <summary>The memory of one step; lives within the caller's dispose scope.</summary>
    private sealed class Step
    {
        private readonly ModelConfig _config;
        private readonly KeyValueSlots _slots;
        private readonly IFewTokensAdapter? _adapter;
        private readonly FloatFormat _format;
        private readonly int _tokens, _hidden, _inner, _heads, _keyHeads, _headSize;
        private readonly nint _x, _y, _beside, _q, _k, _v, _attended, _gate, _up, _cosine, _sine;
        private readonly AttentionShape _all;
        private readonly AttentionShape? _windowed;

        public Step(ModelConfig config, Tensor h, TokenLayout layout, KeyValueSlots slots, IFewTokensAdapter? adapter)
        {
            (_config, _slots, _adapter, H) = (config, slots, adapter, Address(h));
            _format = h.dtype == ScalarType.BFloat16 ? FloatFormat.BFloat16 : FloatFormat.Single;
            (_tokens, _hidden, _inner) = (layout.TokenCount, config.HiddenSize, config.IntermediateSize);
            (_heads, _keyHeads, _headSize) = (config.HeadCount, config.KeyValueHeadCount, config.HeadSize);
            _all = slots.Shape(_heads, null);
            _windowed = config.SlidingWindow is { } window ? slots.Shape(_heads, window) : null;
            int queries = _heads * _headSize, keys = _keyHeads * _headSize;
            nint Take(int width) => Address(empty([_tokens, width], h.dtype));
            (_x, _y, _beside) = (Take(_hidden), Take(_hidden), Take(_hidden));
            (_q, _attended, _k, _v) = (Take(queries), Take(queries), Take(keys), Take(keys));
            (_gate, _up) = (Take(_inner), Take(_inner));
            (_cosine, _sine) = (Take(_headSize / 2), Take(_headSize / 2));
            RotaryTables.Write(layout, RotaryFrequencies.Of(config.Rope, _headSize), _format, _cosine, _sine);
        }

        /// <summary>The address of the hidden states.</summary>
        public nint H { get; }

        public void RunLayer(int layer, LayerWeights w)
        {
            Norm(H, w.AttentionNorm, _tokens, _hidden, _x);
            FewVectorsLinear.Apply(_x, _tokens, _hidden, _format, [w.Query.Target(_q), w.Key.Target(_k), w.Value.Target(_v)]);
            if (w.QueryNorm is not null) Norm(_q, w.QueryNorm, _tokens * _heads, _headSize, _q);
            if (w.KeyNorm is not null) Norm(_k, w.KeyNorm, _tokens * _keyHeads, _headSize, _k);
            RotaryRows.Apply(_q, _cosine, _sine, _format, _tokens, _heads, _headSize, _q);
            RotaryRows.Apply(_k, _cosine, _sine, _format, _tokens, _keyHeads, _headSize, _k);
            _slots.Write(layer, _k, _v, _format);
            var shape = _config.WindowOf(layer) is null ? _all : _windowed!;
            FewQueriesAttention.Forward(shape, _format, _q, _slots.Keys(layer), _slots.Values(layer), _attended);
            FewVectorsLinear.Apply(_attended, _tokens, _heads * _headSize, _format, [w.Output.Target(_y)]);
            Add(H, _y, H);

            Norm(H, w.FeedForwardNorm, _tokens, _hidden, _x);
            FewVectorsLinear.Apply(_x, _tokens, _hidden, _format, [w.Gate.Target(_gate), w.Up.Target(_up)]);
            SwiGluRows.Apply(_gate, _up, _format, (long)_tokens * _inner, _gate);
            FewVectorsLinear.Apply(_gate, _tokens, _inner, _format, [w.Down.Target(_y)]);
            if (_adapter is not null && _adapter.Adapts(layer))
            {
                _adapter.ApplyToFew(layer, _x, _format, _tokens, _beside);
                Add(_y, _beside, _y);
            }
            Add(H, _y, H);
        }

        public void Norm(nint x, Tensor weight, int rows, int width, nint y) =>
            RootMeanSquareRows.Apply(x, Address(weight), _format, _config.NormEpsilon, rows, width, y);

        private void Add(nint a, nint b, nint y) => RowAddition.Apply(a, b, _format, (long)_tokens * _hidden, y);
    }
}
