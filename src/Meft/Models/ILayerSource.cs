using Meft.Memory;

namespace Meft.Models;

/// <summary>Where the weights of a decoder's layers come from.</summary>
internal interface ILayerSource : IDisposable
{
    /// <summary>Bytes of weights that wait in host memory.</summary>
    long HostByteCount { get; }

    /// <summary>Counts what this source holds beside the model's tensors, and what it moves, from now on.</summary>
    void CountIn(MemoryLedger ledger);

    /// <summary>Counts what this source moves in another ledger from now on.</summary>
    void CountTrafficIn(MemoryLedger ledger);

    /// <summary>The weights of a layer on the device; valid until two other layers have been asked for.</summary>
    LayerWeights Take(int layer);

    /// <summary>Says which layer will be taken after the one that is taken next.</summary>
    void Prefetch(int layer);

    /// <summary>Makes ready for a pass that begins with the first layer: what comes and goes in it is then the same whatever came before.</summary>
    void Rewind();
}

/// <summary>All layers are on the device all the time.</summary>
internal sealed class ResidentLayers(IReadOnlyList<LayerWeights> layers) : ILayerSource
{
    public long HostByteCount => 0;

    public LayerWeights Take(int layer) => layers[layer];

    public void CountIn(MemoryLedger ledger)
    {
        // Nothing moves.
    }

    public void CountTrafficIn(MemoryLedger ledger)
    {
        // Nothing moves.
    }

    public void Prefetch(int layer)
    {
        // It is there.
    }

    public void Rewind()
    {
        // All are there.
    }

    /// <summary>Frees the packed copies and views; the tensors belong to the decoder.</summary>
    public void Dispose()
    {
        foreach (var map in layers.SelectMany(layer => layer.LinearMaps)) map.Dispose();
    }
}
