using Meft.Devices;
using Meft.Memory;
using Meft.Models.Quantized;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// Frozen layers that wait in host memory, one contiguous block each (of each type), and pass through two layer-sized buffers on the device: while a layer computes
/// in one, the next is brought into the other (SlideFormer, arXiv 2603.16428, of whose traffic a frozen base needs only the way down).
/// </summary>
internal sealed class StreamedLayers : ILayerSource
{
    private readonly IReadOnlyList<HostLayer> _layers;
    private readonly Window[] _windows;
    private readonly Func<MemoryLedger?, IDeviceLink> _links;
    private readonly long _windowBytes;
    private IDeviceLink _link;
    private Window? _current;
    private int? _announced;

    /// <summary>
    /// Moves the layers' tensors into one block a layer; the entries of <paramref name="tensors"/> are views of the blocks from then on.
    /// </summary>
    /// <param name="layerCount">Layers of the model.</param>
    /// <param name="tensors">All weights, those of the layers in host memory, by name.</param>
    /// <param name="device">Where the layers are to compute.</param>
    /// <param name="links">Makes a link to that device; null for <see cref="DeviceLinks.For"/>.</param>
    /// <param name="quantized">Which weights are held in blocks; null: none.</param>
    public StreamedLayers(
        int layerCount, Dictionary<string, Tensor> tensors, Device device, Func<MemoryLedger?, IDeviceLink>? links = null, QuantizedWeights? quantized = null)
    {
        _links = links ?? (ledger => DeviceLinks.For(device, ledger));
        _link = _links(null);
        _layers = [.. Enumerable.Range(0, layerCount).Select(layer => HostLayer.Gather(layer, tensors, _link))];
        // A quantised layer has two blocks: bytes, and what stays in the model's type.
        var sizes = _layers.SelectMany(l => l.Blocks.Values).GroupBy(b => b.dtype).ToDictionary(g => g.Key, g => g.Max(b => b.numel()));
        Window NewWindow() => new(sizes.ToDictionary(s => s.Key, s => empty(s.Value, s.Key, device)), quantized);
        _windows = [NewWindow(), NewWindow()];
        _windowBytes = 2 * sizes.Sum(s => s.Value * TensorMemory.ElementBytes(s.Key));
    }

    /// <inheritdoc/>
    public long HostByteCount => _layers.Sum(l => l.Blocks.Values.Sum(TensorMemory.ByteCount));

    /// <inheritdoc/>
    public void CountIn(MemoryLedger ledger)
    {
        ledger.Hold(DeviceUse.LayerWindow, _windowBytes);
        ledger.Host("base layers", HostByteCount);
        foreach (var window in _windows) window.Settle();
        _link.Dispose();
        _link = _links(ledger);
    }

    /// <inheritdoc/>
    public void Prefetch(int layer) => _announced = layer;

    /// <inheritdoc/>
    public void Rewind()
    {
        _announced = null;
        _current = Find(1); // what is there already stays
        _current = Find(0) ?? Begin(0);
        if (_layers.Count > 1 && Find(1) is null) Begin(1);
    }

    /// <inheritdoc/>
    public LayerWeights Take(int layer)
    {
        _current = Find(layer) ?? Begin(layer);
        if (_announced is { } next && Find(next) is null) Begin(next);
        _announced = null;
        return _current.Finish();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var window in _windows) window.Dispose();
        _link.Dispose(); // no copy reads the blocks any more
        foreach (var block in _layers.SelectMany(l => l.Blocks.Values)) block.Dispose();
    }

    private Window? Find(int layer) => Array.Find(_windows, w => w.Layer == layer);

    /// <summary>Begins to bring a layer into the window that is not in use.</summary>
    private Window Begin(int layer)
    {
        var window = _windows[0] == _current ? _windows[1] : _windows[0];
        window.Begin(layer, _layers[layer], _link);
        return window;
    }

    /// <summary>A layer in host memory.</summary>
    /// <param name="Blocks">All its numbers, [n] of each type.</param>
    /// <param name="Weights">Name, type, place in the block of that type and shape of each tensor.</param>
    private sealed record HostLayer(IReadOnlyDictionary<ScalarType, Tensor> Blocks, IReadOnlyList<(string Name, ScalarType Type, long Start, long[] Shape)> Weights)
    {
        public static HostLayer Gather(int layer, Dictionary<string, Tensor> tensors, IDeviceLink link)
        {
            var prefix = HuggingFaceWeightNames.LayerPrefix(layer);
            var names = tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
            var blocks = new Dictionary<ScalarType, Tensor>();
            var weights = new List<(string, ScalarType, long, long[])>();
            foreach (var ofType in names.GroupBy(name => tensors[name].dtype))
            {
                var block = link.HostBuffer(ofType.Sum(name => tensors[name].numel()), ofType.Key).DetachFromDisposeScope();
                blocks.Add(ofType.Key, block);
                long start = 0;
                foreach (var name in ofType)
                {
                    using var tensor = tensors[name];
                    var view = View(block, start, tensor.shape);
                    view.copy_(tensor);
                    tensors[name] = view.DetachFromDisposeScope();
                    weights.Add((name, ofType.Key, start, tensor.shape));
                    start += tensor.numel();
                }
            }
            return new HostLayer(blocks, weights);
        }
    }

    /// <summary>Buffers on the device, one of each type, that hold one layer at a time.</summary>
    private sealed class Window : IDisposable
    {
        private readonly Dictionary<ScalarType, Tensor> _buffers;
        private readonly QuantizedWeights? _quantized;
        private readonly List<ITransfer> _transfers = [];
        private Dictionary<string, Tensor> _views = [];

        public Window(Dictionary<ScalarType, Tensor> buffers, QuantizedWeights? quantized)
        {
            (_buffers, _quantized) = (buffers, quantized);
            foreach (var buffer in buffers.Values) buffer.DetachFromDisposeScope();
        }

        public int Layer { get; private set; } = -1;

        public void Begin(int layer, HostLayer source, IDeviceLink link)
        {
            Settle();
            DisposeViews();
            foreach (var (type, block) in source.Blocks)
            {
                using var target = _buffers[type].narrow(0, 0, block.numel());
                _transfers.Add(link.BeginToDevice(block, target, LinkUse.BaseLayers));
            }
            _views = source.Weights.ToDictionary(w => w.Name, w => View(_buffers[w.Type], w.Start, w.Shape).DetachFromDisposeScope());
            Layer = layer;
        }

        public LayerWeights Finish()
        {
            Settle();
            return HuggingFaceWeightNames.AssembleLayer(Layer, _views, quantized: _quantized);
        }

        /// <summary>Has what is computed from now on come after the copies that are under way.</summary>
        public void Settle()
        {
            foreach (var transfer in _transfers) transfer.Wait();
            _transfers.Clear();
        }

        public void Dispose()
        {
            Settle();
            DisposeViews();
            foreach (var buffer in _buffers.Values) buffer.Dispose();
        }

        private void DisposeViews()
        {
            foreach (var view in _views.Values) view.Dispose();
        }
    }

    private static Tensor View(Tensor block, long start, long[] shape)
    {
        using var part = block.narrow(0, start, shape.Aggregate(1L, (product, size) => product * size));
        return part.view(shape);
    }
}
