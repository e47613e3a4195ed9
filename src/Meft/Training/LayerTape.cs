using Meft.Memory;
using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>
/// One micro-batch on its way through the layers and back. The graph of autograd never spans two layers: each layer's input is a leaf, and
/// its gradient is handed down. So a layer's activations can be kept, or (recompute) made again when its backward needs them, and a
/// streamed base passes through in either direction one layer at a time. Below the first adapted layer nothing is kept and no gradient computed.
/// </summary>
/// <param name="decoder">The base.</param>
/// <param name="adapter">What is trained beside it; null where the base itself is.</param>
/// <param name="recompute">Whether to keep the layers' inputs only.</param>
/// <param name="ledger">Where bytes are counted.</param>
internal sealed class LayerTape(Decoder decoder, IDecoderAdapter? adapter, bool recompute, MemoryLedger ledger) : IDisposable
{
    private readonly Stack<Entry> _entries = new();
    private readonly IDisposable? _selections = recompute ? (adapter as ISelectingAdapter)?.RememberSelections() : null;
    private Tensor? _embedded;
    private HeldBytes? _top;
    private TokenLayout _layout = null!;

    /// <summary>ids [T] → hidden states [T, D] after the last layer, as a leaf: <see cref="Backward"/> wants its gradient.</summary>
    public Tensor Forward(Tensor ids, TokenLayout layout)
    {
        _layout = layout;
        using var scope = NewDisposeScope();
        var first = decoder.IsTrainable ? 0 : FirstAdaptedLayer();
        var h = decoder.Embed(ids);
        if (decoder.IsTrainable) _embedded = h.DetachFromDisposeScope();
        var hiddenBytes = TensorMemory.ByteCount(h);
        using var passing = ledger.Hold(DeviceUse.HiddenStates, hiddenBytes); // beside a layer's input its output
        _top = ledger.Hold(DeviceUse.HiddenStates, hiddenBytes);
        for (var layer = 0; layer < decoder.Config.LayerCount; layer++)
        {
            if (layer + 1 < decoder.Config.LayerCount) decoder.Prefetch(layer + 1); // after the last one comes the backward, with the same
            if (layer < first)
            {
                h = Below(layer, h);
                continue;
            }
            var entry = new Entry(layer, Leaf(h, wantsGradient: layer > first || decoder.IsTrainable), ledger.Hold(DeviceUse.HiddenStates, hiddenBytes));
            _entries.Push(entry);
            h = recompute ? Below(layer, entry.Input) : Record(entry);
        }
        return Leaf(h, wantsGradient: _entries.Count > 0).MoveToOuterDisposeScope();
    }

    /// <summary>Takes the gradient [T, D] of what <see cref="Forward"/> returned down through the layers; all parameter gradients are added up.</summary>
    public void Backward(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        using var passing = ledger.Hold(DeviceUse.HiddenStates, 2 * TensorMemory.ByteCount(gradient));
        Tensor? handed = null;
        while (_entries.TryPop(out var entry))
        {
            using var layerScope = NewDisposeScope();
            using (entry)
            {
                decoder.Prefetch(_entries.TryPeek(out var next) ? next.Layer : 0);
                var output = entry.Output ?? Record(entry);
                output.backward([gradient]);
                BackwardHandles.FreeReturned();
                BackwardFailure.ThrowIfAny();
                if (entry.Input.grad is not { } passed) continue; // the lowest one of a frozen base
                handed?.Dispose();
                gradient = handed = passed.MoveToOuterDisposeScope();
            }
        }
        _embedded?.backward([gradient]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_entries.TryPop(out var entry)) entry.Dispose();
        _embedded?.Dispose();
        _top?.Dispose();
        _selections?.Dispose();
    }

    private int FirstAdaptedLayer()
    {
        var layer = 0;
        while (layer < decoder.Config.LayerCount && adapter?.Adapts(layer) != true) layer++;
        return layer;
    }

    /// <summary>A layer of which no graph is kept: h [T, D] → [T, D].</summary>
    private Tensor Below(int layer, Tensor h)
    {
        using var noGradients = no_grad();
        return decoder.ForwardLayer(layer, h, _layout, adapter: adapter);
    }

    /// <summary>A layer with its graph, which lives as long as the entry.</summary>
    private Tensor Record(Entry entry)
    {
        var ofBase = entry.Input.requires_grad || adapter is ILinearAdapter;
        entry.HoldActivations(ledger, LayerActivations.ByteCount(decoder, adapter, entry.Layer, _layout, ofBase));
        return entry.Output = decoder.ForwardLayer(entry.Layer, entry.Input, _layout, adapter: adapter).DetachFromDisposeScope();
    }

    private static Tensor Leaf(Tensor h, bool wantsGradient) => h.detach().requires_grad_(wantsGradient);

    /// <summary>What a layer's backward starts from.</summary>
    private sealed class Entry(int layer, Tensor input, HeldBytes hidden) : IDisposable
    {
        private HeldBytes? _activations;

        public int Layer => layer;

        public Tensor Input { get; } = input.DetachFromDisposeScope();

        public Tensor? Output { get; set; }

        public void HoldActivations(MemoryLedger to, long bytes) => _activations = to.Hold(DeviceUse.LayerActivations, bytes);

        public void Dispose()
        {
            Output?.Dispose();
            Input.Dispose();
            _activations?.Dispose();
            hidden.Dispose();
        }
    }
}
