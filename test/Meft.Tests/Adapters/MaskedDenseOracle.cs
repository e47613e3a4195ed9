using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters;

/// <summary>
/// The adapter layer in its slow, obviously right form: every score, a mask, a sum, in float64 with torch's own gradients.
/// Selection is by a stable sort, so ties go to the lower index.
/// </summary>
internal sealed class MaskedDenseOracle(SparseAdapterSpec spec)
{
    internal sealed record Result(Tensor Y, Tensor Dx, Tensor DKeys, Tensor DValues, Tensor DGate, Tensor Active, Tensor Experts);

    /// <summary>x, dy [T, D]; keys, values [R, D]; gate [N, D], all float64 → y and gradients, active [T, R] and experts [T, P].</summary>
    public Result Run(Tensor x, Tensor keys, Tensor values, Tensor gate, Tensor dy)
    {
        x = Leaf(x);
        keys = Leaf(keys);
        values = Leaf(values);
        gate = Leaf(gate);
        var y = Forward(x, keys, values, gate, out var active, out var experts);
        y.backward([dy]);
        return new Result(y.detach(), Gradient(x), Gradient(keys), Gradient(values), Gradient(gate), active, experts);
    }

    /// <summary>The forward pass on its own, differentiable.</summary>
    public Tensor Forward(Tensor x, Tensor keys, Tensor values, Tensor gate, out Tensor active, out Tensor experts)
    {
        var scores = x.matmul(keys.t()); // [T, R]
        var candidates = ones_like(scores, dtype: ScalarType.Bool);
        experts = empty(x.shape[0], 0, dtype: ScalarType.Int64);
        if (spec.Experts > 0)
        {
            var g = x.matmul(gate.t()); // [T, N]
            if (spec.Gate == GateKind.Softmax) g = g.softmax(-1);
            var probed = LargestMask(g.detach(), spec.Probe, out experts); // [T, N]
            scores = scores * g.repeat_interleave(spec.RowsPerExpert, -1);
            candidates = probed.repeat_interleave(spec.RowsPerExpert, -1);
        }
        using var ranked = scores.detach().Masked(candidates.logical_not(), double.NegativeInfinity);
        var chosen = spec.TopK == 0 ? candidates : LargestMask(ranked, spec.TopK, out _).logical_and(candidates);
        active = chosen.logical_and(scores.detach().IsAbove(0));
        return (scores * active.to(scores.dtype)).matmul(values);
    }

    private static Tensor LargestMask(Tensor values, int k, out Tensor indices)
    {
        var (_, order) = sort(values, dim: -1, descending: true, stable: true);
        indices = order.narrow(-1, 0, Math.Min(k, values.shape[^1]));
        return zeros_like(values, dtype: ScalarType.Bool).scatter(-1, indices, ones_like(indices, dtype: ScalarType.Bool));
    }

    private static Tensor Leaf(Tensor value) => value.detach().clone().requires_grad_(true);

    private static Tensor Gradient(Tensor leaf) => leaf.grad ?? zeros_like(leaf);
}
