using Meft.Devices;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>The layers of a model that is being read, each in its blocks of host memory (<see cref="HostLayer"/>) from the beginning.</summary>
internal sealed class HostLayers : IDisposable
{
    private readonly Dictionary<string, Tensor> _views = new(StringComparer.Ordinal);
    private readonly List<HostLayer> _layers = [];

    /// <param name="layerCount">Layers of the model.</param>
    /// <param name="weights">All its weights.</param>
    /// <param name="device">Where the layers are to compute: whose link makes the blocks.</param>
    public HostLayers(int layerCount, IReadOnlyList<HeldWeight> weights, Device device)
    {
        using var link = DeviceLinks.For(device, null);
        try
        {
            for (var layer = 0; layer < layerCount; layer++)
            {
                var prefix = HuggingFaceWeightNames.LayerPrefix(layer);
                var own = weights.Where(w => w.Spec.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(w => (w.Spec.Name, w.Type, w.Shape));
                _layers.Add(new HostLayer(own, link.HostBuffer));
                foreach (var (name, view) in _layers[^1].Views()) _views.Add(name, view);
                if (device.type != TorchSharp.DeviceType.CPU) continue; // pinned blocks are taken already
                foreach (var block in _layers[^1].Blocks.Values) TensorMemory.PreferHugePages(block);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The layers; whoever takes them disposes of them.</summary>
    public IReadOnlyList<HostLayer> Layers => _layers;

    /// <summary>The tensor of a layer's weight, a view of its block. It may be taken once, and then belongs to who took it.</summary>
    public Tensor Take(HeldWeight weight) => _views.Remove(weight.Spec.Name, out var view) ? view
        : throw new ArgumentException($"no layer has '{weight.Spec.Name}', or it has been taken", nameof(weight));

    /// <summary>Frees the layers, and the tensors that nobody has taken.</summary>
    public void Dispose()
    {
        foreach (var view in _views.Values) view.Dispose();
        foreach (var layer in _layers) layer.Dispose();
    }
}
