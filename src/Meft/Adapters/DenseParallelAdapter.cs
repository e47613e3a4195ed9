using Meft.Core.Adapters;
using Meft.Host;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>
/// The dense parallel adapter, the baseline that the sparse one is measured against: y = relu(x·Kᵀ)·V with every neuron of every token,
/// dense gradients, float32 parameters on the device (docs/method.md, section 1, without experts and with k = 0).
/// </summary>
public sealed class DenseParallelAdapter : IFeedForwardAdapter, IDisposable
{
    private readonly SortedDictionary<int, (Tensor Keys, Tensor Values)> _layers = [];

    /// <summary>Starts as the base: K ~ N(0, 0.02²), seeded as the sparse adapter's; V = 0.</summary>
    public DenseParallelAdapter(SparseAdapterSpec spec, ulong seed, Device device)
    {
        Spec = spec.Validated();
        using var noScope = NewDisposeScope();
        foreach (var layer in spec.Layers)
        {
            using var drawn = new HostMatrix(spec.Rank, spec.HiddenSize);
            SeededNormal.Fill(drawn, SparseAdapter.KeyDeviation, seed, (ulong)layer);
            var keys = HostMatrixTensors.ToTensor(drawn).to(device).requires_grad_(true);
            var values = zeros(spec.Rank, spec.HiddenSize, ScalarType.Float32, device).requires_grad_(true);
            _layers.Add(layer, (keys.DetachFromDisposeScope(), values.DetachFromDisposeScope()));
        }
    }

    /// <summary>The adapter's sizes: no experts, k = 0.</summary>
    public SparseAdapterSpec Spec { get; }

    /// <summary>K and V of every layer by their names in files.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Parameters => _layers.SelectMany(l => new[]
    {
        KeyValuePair.Create($"layers.{l.Key}.keys", l.Value.Keys),
        KeyValuePair.Create($"layers.{l.Key}.values", l.Value.Values),
    });

    /// <summary>Overwrites K and V with those of a sparse adapter of the same sizes.</summary>
    public void CopyFrom(SparseAdapter adapter)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (layer, store) in adapter.Stores)
        {
            _layers[layer].Keys.copy_(HostMatrixTensors.ToTensor(store.Keys.Weights));
            _layers[layer].Values.copy_(HostMatrixTensors.ToTensor(store.Values.Weights));
        }
    }

    /// <inheritdoc/>
    public bool Adapts(int layer) => _layers.ContainsKey(layer);

    /// <inheritdoc/>
    public long KeptBytesPerToken(int layer, int width) =>
        Adapts(layer) ? sizeof(float) * ((width < sizeof(float) ? Spec.HiddenSize : 0) + (long)Spec.Rank) : 0;

    /// <inheritdoc/>
    public Tensor Apply(int layer, Tensor x)
    {
        // x [T, D], K and V [R, D] → [T, D]
        using var scope = NewDisposeScope();
        var (keys, values) = _layers[layer];
        var scores = nn.functional.relu(x.to(ScalarType.Float32).matmul(keys.t()));
        return scores.matmul(values).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (keys, values) in _layers.Values)
        {
            keys.Dispose();
            values.Dispose();
        }
    }
}
