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
        && HostGatedUnit.KernelOf(config.Activation) is not null && adapter is null or IFewTokensAdapter;

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
        GC.KeepAlive(weights); // which no scope holds
        return result.MoveToOuterDisposeScope();
    }

    private static nint Address(Tensor tensor) => (nint)TensorMemory.Pointer(tensor);

    /// <summary>Cosines and sines of a step's tokens, [T, turned/2] each.</summary>
    private readonly record struct Turning(nint Cosine, nint Sine, int Turned);

    /// <summary>The memory of one step; lives within the caller's dispose scope.</summary>
    private sealed class Step
    {
        private readonly ModelConfig _config;
        private readonly TokenLayout _layout;
        private readonly KeyValueSlots _slots;
        private readonly IFewTokensAdapter? _adapter;
        private readonly FloatFormat _format;
        private readonly ScalarType _type;
        private readonly int _tokens, _hidden, _inner, _heads, _keyHeads, _headSize;
        private readonly nint _x, _y, _beside, _q, _k, _v, _attended, _gate, _up;
        private readonly Dictionary<RopeConfig, Turning> _turnings = [];
        private readonly Dictionary<AttentionTerms, AttentionShape> _shapes = [];

        public Step(ModelConfig config, Tensor h, TokenLayout layout, KeyValueSlots slots, IFewTokensAdapter? adapter)
        {
            (_config, _layout, _slots, _adapter, _type, H) = (config, layout, slots, adapter, h.dtype, Address(h));
            _format = HostFloats.Format(h);
            (_tokens, _hidden, _inner) = (layout.TokenCount, config.HiddenSize, config.IntermediateSize);
            (_heads, _keyHeads, _headSize) = (config.HeadCount, config.KeyValueHeadCount, config.HeadSize);
            int queries = _heads * _headSize, keys = _keyHeads * _headSize;
            (_x, _y, _beside) = (Take(_hidden), Take(_hidden), Take(_hidden));
            (_q, _attended, _k, _v) = (Take(queries), Take(queries), Take(keys), Take(keys));
            (_gate, _up) = (Take(_inner), Take(_inner));
            for (var layer = 0; layer < config.LayerCount; layer++) Prepare(layer);
        }

        /// <summary>The address of the hidden states.</summary>
        public nint H { get; }

        public void RunLayer(int layer, LayerWeights w)
        {
            var x = Normed(H, w.AttentionNorm);
            RunQueryKeyValue(x, w);
            HeadNorm(_q, w.QueryNorm, _heads);
            HeadNorm(_k, w.KeyNorm, _keyHeads);
            if (_config.RopeOf(layer) is { } rope)
            {
                var (cosine, sine, turned) = _turnings[rope];
                RotaryRows.Apply(_q, cosine, sine, _format, _tokens, _heads, _headSize, turned, _q);
                RotaryRows.Apply(_k, cosine, sine, _format, _tokens, _keyHeads, _headSize, turned, _k);
            }
            _slots.Write(layer, _k, _v, _format);
            var shape = _shapes[AttentionTerms.Of(_config, layer)];
            FewQueriesAttention.Forward(shape, _format, _q, _slots.Keys(layer), _slots.Values(layer), _attended);
            FewVectorsLinear.Apply(_attended, _tokens, _heads * _headSize, _format, [w.Output.Target(_y)]);
            AddToHidden(_y, w.AttentionPostNorm);

            x = Normed(H, w.FeedForwardNorm);
            RunGateUp(x, w);
            GatedRows.Apply(HostGatedUnit.KernelOf(_config.Activation)!.Value, _gate, _up, _format, (long)_tokens * _inner, _gate);
            FewVectorsLinear.Apply(_gate, _tokens, _inner, _format, [w.Down.Target(_y)]);
            if (_adapter is not null && _adapter.Adapts(layer))
            {
                _adapter.ApplyToFew(layer, x, _format, _tokens, _beside);
                RowAddition.Apply(_y, _beside, _format, (long)_tokens * _hidden, _y);
            }
            AddToHidden(_y, w.FeedForwardPostNorm);
        }

        public void Norm(nint x, Tensor weight, int rows, int width, nint y) =>
            RootMeanSquareRows.Apply(x, Address(weight), _format, _config.NormEpsilon, rows, width, y, HostNorm.KernelOf(_config.NormScaling));

        private void RunQueryKeyValue(nint x, LayerWeights w)
        {
            int queries = _heads * _headSize, keys = _keyHeads * _headSize;
            if (w.QueryKeyValue is { } fused) RunFused(x, fused, [(queries, _q), (keys, _k), (keys, _v)]);
            else FewVectorsLinear.Apply(x, _tokens, _hidden, _format, [w.Query!.Target(_q), w.Key!.Target(_k), w.Value!.Target(_v)]);
        }

        private void RunGateUp(nint x, LayerWeights w)
        {
            if (w.GateUp is { } fused) RunFused(x, fused, [(_inner, _gate), (_inner, _up)]);
            else FewVectorsLinear.Apply(x, _tokens, _hidden, _format, [w.Gate!.Target(_gate), w.Up!.Target(_up)]);
        }

        /// <summary>A map whose rows belong to several results, in order. Blocks do not come apart: the results do, after it.</summary>
        private void RunFused(nint x, LinearWeights fused, (int Width, nint Result)[] parts)
        {
            var first = 0;
            if (fused.Quantized is null)
            {
                var targets = new LinearTarget[parts.Length];
                for (var i = 0; i < parts.Length; first += parts[i++].Width) targets[i] = fused.Target(parts[i].Result, first, parts[i].Width);
                FewVectorsLinear.Apply(x, _tokens, _hidden, _format, targets);
                return;
            }
            using var scope = NewDisposeScope();
            var width = parts.Sum(part => part.Width);
            var whole = empty([_tokens, width], _type);
            FewVectorsLinear.Apply(x, _tokens, _hidden, _format, [fused.Target(Address(whole))]);
            var bytes = TensorMemory.ElementBytes(_type);
            foreach (var part in parts)
            {
                for (var token = 0; token < _tokens; token++)
                {
                    var row = (byte*)Address(whole) + ((long)token * width + first) * bytes;
                    new ReadOnlySpan<byte>(row, (int)(part.Width * bytes)).CopyTo(new Span<byte>((byte*)part.Result + (long)token * part.Width * bytes, (int)(part.Width * bytes)));
                }
                first += part.Width;
            }
        }

        /// <summary>Where x [T, D], normed, lies: x itself where there is no norm.</summary>
        private nint Normed(nint x, Tensor? weight)
        {
            if (weight is null) return x;
            Norm(x, weight, _tokens, _hidden, _x);
            return _x;
        }

        private void HeadNorm(nint x, Tensor? weight, int heads)
        {
            if (weight is null) return;
            if (_config.QueryKeyNormOverHeads) Norm(x, weight, _tokens, heads * _headSize, x);
            else Norm(x, weight, _tokens * heads, _headSize, x);
        }

        private void AddToHidden(nint y, Tensor? norm)
        {
            if (norm is not null) Norm(y, norm, _tokens, _hidden, y);
            RowAddition.Apply(H, y, _format, (long)_tokens * _hidden, H, (float)_config.Multipliers.Residual);
        }

        /// <summary>Tables and shapes that a layer shares with others of its kind.</summary>
        private void Prepare(int layer)
        {
            var terms = AttentionTerms.Of(_config, layer);
            if (!_shapes.ContainsKey(terms)) _shapes.Add(terms, _slots.Shape(_heads, terms));
            if (_config.RopeOf(layer) is not { } rope || _turnings.ContainsKey(rope)) return;
            var frequencies = RotaryFrequencies.Of(rope, _headSize);
            var pairs = frequencies.Inverse.Length;
            var turning = new Turning(Take(pairs), Take(pairs), 2 * pairs);
            RotaryTables.Write(_layout, frequencies, _format, turning.Cosine, turning.Sine);
            _turnings.Add(rope, turning);
        }

        private nint Take(int width) => Address(empty([_tokens, width], _type));
    }
}
