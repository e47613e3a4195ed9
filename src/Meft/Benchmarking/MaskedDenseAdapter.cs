using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Host;
using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Benchmarking;

/// <summary>
/// The same layer as the sparse adapter's, in the masked dense form in which it is usually written (and was published): every score of every
/// token in float32, a mask of the probed experts, a mask of the k largest, two dense products, and torch's own dense gradients. Its cost
/// grows with R; it is what the sparse form is measured against, and no more than that: ties go where torch's topk puts them.
/// </summary>
internal sealed class MaskedDenseAdapter : IFeedForwardAdapter, IDisposable
{
    private readonly SparseAdapterSpec _spec;
    private readonly SortedDictionary<int, (Tensor Keys, Tensor Values, Tensor Gate)> _layers = [];

    /// <summary>Copies the numbers of a sparse adapter.</summary>
    public MaskedDenseAdapter(SparseAdapter start, Device device)
    {
        _spec = start.Spec;
        Tensor Leaf(HostMatrix matrix) =>
            HostMatrixTensors.ToTensor(matrix).to(device, copy: true).requires_grad_(true).DetachFromDisposeScope();

        using var scope = NewDisposeScope();
        foreach (var (layer, store) in start.Stores)
            _layers.Add(layer, (Leaf(store.Keys.Weights), Leaf(store.Values.Weights), Leaf(store.Gate.Weights)));
    }

    /// <summary>K, V and G of every layer by their names in files.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Parameters
    {
        get
        {
            foreach (var (layer, (keys, values, gate)) in _layers)
            {
                yield return KeyValuePair.Create($"layers.{layer}.keys", keys);
                yield return KeyValuePair.Create($"layers.{layer}.values", values);
                if (_spec.Experts > 0) yield return KeyValuePair.Create($"layers.{layer}.gate", gate);
            }
        }
    }

    /// <inheritdoc/>
    public bool Adapts(int layer) => _layers.ContainsKey(layer);

    /// <inheritdoc/>
    public Tensor Apply(int layer, Tensor x)
    {
        // x [T, D], K and V [R, D], G [N, D] → [T, D]
        using var scope = NewDisposeScope();
        var (keys, values, gate) = _layers[layer];
        var single = x.to(ScalarType.Float32);
        var scores = single.matmul(keys.t()); // [T, R]
        Tensor? candidates = null;
        if (_spec.Experts > 0)
        {
            var g = single.matmul(gate.t()); // [T, N]
            if (_spec.Gate == GateKind.Softmax) g = g.softmax(-1);
            candidates = LargestMask(g.detach(), _spec.Probe).repeat_interleave(_spec.RowsPerExpert, -1); // [T, R]
            scores = scores * g.repeat_interleave(_spec.RowsPerExpert, -1);
        }
        return (scores * Active(scores.detach(), candidates).to(ScalarType.Float32)).matmul(values).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (keys, values, gate) in _layers.Values)
        {
            keys.Dispose();
            values.Dispose();
            gate.Dispose();
        }
    }

    /// <summary>Of the candidates the k largest that are positive: [T, R].</summary>
    private Tensor Active(Tensor scores, Tensor? candidates)
    {
        var active = scores.IsAbove(0);
        if (candidates is not null) active = active.logical_and(candidates);
        if (_spec.TopK == 0 || _spec.TopK >= _spec.Rank) return active;
        var ranked = candidates is null ? scores : scores.Masked(candidates.logical_not(), double.NegativeInfinity);
        return LargestMask(ranked, _spec.TopK).logical_and(active);
    }

    private static Tensor LargestMask(Tensor values, int k)
    {
        var (_, indices) = topk(values, k, -1, sorted: false);
        return zeros_like(values, dtype: ScalarType.Bool).scatter_(-1, indices, ones_like(indices, dtype: ScalarType.Bool));
    }
}
