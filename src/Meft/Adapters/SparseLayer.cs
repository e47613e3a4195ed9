using Meft.Core.Adapters;
using Meft.Host;
using Meft.Kernels;

namespace Meft.Adapters;

/// <summary>
/// One adapted layer: y = Σ over active j of s_j·V_j with s_j = c·(K_j·x), forward and backward, on active rows only
/// (docs/method.md, sections 1 and 2; Hao et al., ACL 2024). All pointers are float32 host memory, row-major.
/// </summary>
internal sealed unsafe class SparseLayer(SparseAdapterSpec spec, HostParameterStore store)
{
    private readonly int _dimension = spec.HiddenSize;
    private readonly FewTokensLayer _fewTokens = new(spec, store);

    /// <summary>The layer's parameters, moments and gradients.</summary>
    public HostParameterStore Store => store;

    /// <summary>The adapter's sizes.</summary>
    public SparseAdapterSpec Spec => spec;

    /// <summary>x [T, D] → the active neurons of every token.</summary>
    public ActiveSet Select(float* x, int tokenCount) =>
        ActiveSetBuilder.Build(x, tokenCount, store.Keys.Weights.Data, store.Gate.Weights.Data, spec);

    /// <summary>y_t = Σ s_j V_j → y [T, D].</summary>
    public void Forward(ActiveSet active, float* y)
    {
        fixed (int* starts = active.TokenStarts, rows = active.Rows)
        fixed (float* scores = active.Scores)
        {
            WeightedRowSum.Compute(store.Values.Weights.Data, starts, rows, scores, active.TokenCount, _dimension, y);
        }
    }

    /// <summary>x [T, D] → y [T, D] for a few tokens that need no backward: the same bits, and no active set.</summary>
    public void ForwardOnly(float* x, int tokenCount, float* y) => _fewTokens.Forward(x, tokenCount, y);

    /// <summary>
    /// dy [T, D] → dx [T, D] (overwritten); adds dK, dV of the active rows and dG to the store's gradients.
    /// </summary>
    public void Backward(ActiveSet active, float* x, float* dy, float* dx)
    {
        var entries = active.Rows.Length;
        var scoreGradients = new float[entries]; // ds_j = dy_t · V_j
        var keyWeights = new float[entries];     // ds_j · c
        fixed (int* starts = active.TokenStarts, rows = active.Rows)
        fixed (float* ds = scoreGradients, weights = keyWeights)
        {
            MemberDots.Compute(dy, store.Values.Weights.Data, starts, rows, active.TokenCount, _dimension, ds);
            ScaleByCoefficient(active, scoreGradients, keyWeights);
            // dx_t = Σ ds_j c K_j
            WeightedRowSum.Compute(store.Keys.Weights.Data, starts, rows, weights, active.TokenCount, _dimension, dx);
        }

        RowGradients(active, keyWeights, x, dy);

        if (active.Routing is not null)
        {
            fixed (float* dc = CoefficientGradients(active, scoreGradients)) BackwardGate(active, dc, x, dx);
        }
    }

    /// <summary>dc [T, P] → adds the gate's share to dx [T, D] and dG to the store's gradients.</summary>
    public void BackwardGate(ActiveSet active, float* dc, float* x, float* dx) =>
        KeyExpertsRouter.Backward(
            active.Routing!, new ReadOnlySpan<float>(dc, active.TokenCount * spec.Probe), x, active.TokenCount, store.Gate.Weights.Data, spec,
            dx, store.GateGradient.Data);

    /// <summary>Adds dK, dV [U, D] of the active rows, computed elsewhere, to the store's gradients.</summary>
    public void AddRowGradients(ActiveSet active, float* keys, float* values)
    {
        var slots = new int[active.UnionCount];
        store.RowGradients.Touch(active.UnionRows, slots);
        fixed (int* places = slots)
        {
            RowScatter.Compute(keys, FloatFormat.Single, places, slots.Length, _dimension, store.RowGradients.Keys.Data, add: true);
            RowScatter.Compute(values, FloatFormat.Single, places, slots.Length, _dimension, store.RowGradients.Values.Data, add: true);
        }
    }

    /// <summary>dV_j += Σ_t s_j dy_t and dK_j += Σ_t ds_j c x_t, by row over the row's own tokens in order.</summary>
    private void RowGradients(ActiveSet active, float[] keyWeights, float* x, float* dy)
    {
        var slots = new int[active.UnionCount];
        store.RowGradients.Touch(active.UnionRows, slots);
        fixed (int* starts = active.UnionStarts, tokens = active.UnionTokens, places = slots)
        fixed (float* values = Gathered(active.Scores, active.UnionEntries), keys = Gathered(keyWeights, active.UnionEntries))
        {
            WeightedRowSum.Compute(
                dy, starts, tokens, values, active.UnionCount, _dimension, store.RowGradients.Values.Data, places, accumulate: true);
            WeightedRowSum.Compute(
                x, starts, tokens, keys, active.UnionCount, _dimension, store.RowGradients.Keys.Data, places, accumulate: true);
        }
    }

    private void ScaleByCoefficient(ActiveSet active, float[] scoreGradients, float[] keyWeights)
    {
        if (active.Routing is not { } routing)
        {
            scoreGradients.CopyTo(keyWeights, 0);
            return;
        }
        for (var t = 0; t < active.TokenCount; t++)
        {
            for (var i = active.TokenStarts[t]; i < active.TokenStarts[t + 1]; i++)
                keyWeights[i] = scoreGradients[i] * routing.Coefficients[t * spec.Probe + active.Probes[i]];
        }
    }

    /// <summary>dc_e += ds_j (K_j · x_t), [T, P].</summary>
    private float[] CoefficientGradients(ActiveSet active, float[] scoreGradients)
    {
        var dc = new float[active.TokenCount * spec.Probe];
        for (var t = 0; t < active.TokenCount; t++)
        {
            for (var i = active.TokenStarts[t]; i < active.TokenStarts[t + 1]; i++)
                dc[t * spec.Probe + active.Probes[i]] += scoreGradients[i] * active.Products[i];
        }
        return dc;
    }

    private static float[] Gathered(ReadOnlySpan<float> values, ReadOnlySpan<int> places)
    {
        var gathered = new float[places.Length];
        for (var i = 0; i < places.Length; i++) gathered[i] = values[places[i]];
        return gathered;
    }
}
