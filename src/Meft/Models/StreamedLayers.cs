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

    /// <param name="layers">The layers in host memory; disposed of with this.</param>
    /// <param name="device">Where the layers are to compute.</param>
    /// <param name="links">Makes a link to that device; null for <see cref="DeviceLinks.For"/>.</param>
    /// <param name="quantized">Which weights are held in blocks; null: none.</param>
    public StreamedLayers(
        IReadOnlyList<HostLayer> layers, Device device, Func<MemoryLedger?, IDeviceLink>? links = null, QuantizedWeights? quantized = null)
    {
        _links = links ?? (ledger => DeviceLinks.For(device, ledger));
        _link = _links(null);
        _layers = layers;
        // A quantised layer has two blocks: bytes, and what stays in the model's type.
        var sizes = _layers.SelectMany(l => l.Blocks.Values).GroupBy(b => b.dtype).ToDictionary(g => g.Key, g => g.Max(b => b.numel()));
        Window NewWindow() => new(sizes.ToDictionary(s => s.Key, s => empty(s.Value, s.Key, device)), quantized);
        var first = NewWindow();
        try
        {
            _windows = [first, NewWindow()];
        }
        catch
        {
            first.Dispose(); // the device has room for one alone
            throw;
        }
        _windowBytes = 2 * sizes.Sum(s => s.Value * TensorMemory.ElementBytes(s.Key));
    }

    /// <inheritdoc/>
    public long HostByteCount => _layers.Sum(l => l.Blocks.Values.Sum(TensorMemory.ByteCount));

    /// <inheritdoc/>
    public void CountIn(MemoryLedger ledger)
    {
        ledger.Hold(DeviceUse.LayerWindow, _windowBytes);
        ledger.Host("base layers", HostByteCount);
        CountTrafficIn(ledger);
    }

    /// <inheritdoc/>
    public void CountTrafficIn(MemoryLedger ledger)
    {
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
        foreach (var layer in _layers) layer.Dispose();
    }

    private Window? Find(int layer) => Array.Find(_windows, w => w.Layer == layer);

    /// <summary>Begins to bring a layer into the window that is not in use.</summary>
    private Window Begin(int layer)
    {
        var window = _windows[0] == _current ? _windows[1] : _windows[0];
        window.Begin(layer, _layers[layer], _link);
        return window;
    }

    /// <summary>Buffers on the device, one of each type, that hold one layer at a time.</summary>
    private sealed class Window : IDisposable
    {
        private readonly Dictionary<ScalarType, Tensor> _buffers;
        private readonly QuantizedWeights? _quantized;
        private readonly List<ITransfer> _transfers = [];
        private Dictionary<string, Tensor> _views = [];
        private LayerWeights? _weights;

        public Window(Dictionary<ScalarType, Tensor> buffers, QuantizedWeights? quantized)
        {
            (_buffers, _quantized) = (buffers, quantized);
            foreach (var buffer in buffers.Values) buffer.DetachFromDisposeScope();
        }

        public int Layer { get; private set; } = -1;

        public void Begin(int layer, HostLayer source, IDeviceLink link)
        {
            Settle();
            Leave();
            foreach (var (type, block) in source.Blocks)
            {
                using var target = _buffers[type].narrow(0, 0, block.numel());
                _transfers.Add(link.BeginToDevice(block, target, LinkUse.BaseLayers));
            }
            _views = source.ViewsOf(_buffers);
            Layer = layer;
        }

        public LayerWeights Finish()
        {
            Settle();
            return _weights ??= HuggingFaceWeightNames.AssembleLayer(Layer, _views, quantized: _quantized);
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
            Leave();
            foreach (var buffer in _buffers.Values) buffer.Dispose();
        }

        /// <summary>Frees what belongs to the layer that is there.</summary>
        private void Leave()
        {
            foreach (var map in _weights?.LinearMaps ?? []) map.Dispose();
            _weights = null;
            foreach (var view in _views.Values) view.Dispose();
        }
    }
}
