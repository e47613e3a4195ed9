using System.Buffers;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Kernels;

namespace Meft.Adapters;

/// <summary>Which experts each token probes and with what coefficient.</summary>
/// <param name="Experts">[T, P], ascending within a token.</param>
/// <param name="Coefficients">[T, P]: c of each probed expert.</param>
/// <param name="Probabilities">
/// [T, N], the softmax over all experts; null for a linear gate. In float64: a probability near 1 leaves its gradient, g(1−g), nothing in float32.
/// </param>
internal sealed record Routing(int[] Experts, float[] Coefficients, double[]? Probabilities);

/// <summary>The Key-Experts router: g = G·x, the P experts with the largest g, and its gradient.</summary>
internal static unsafe class KeyExpertsRouter
{
    /// <summary>Routes every token. x [T, D], G [N, D] → experts [T, P], coefficients [T, P].</summary>
    public static Routing Route(float* x, int tokenCount, float* gate, SparseAdapterSpec spec)
    {
        int n = spec.Experts, p = spec.Probe;
        var scores = ArrayPool<float>.Shared.Rent(checked(tokenCount * n));
        fixed (float* to = scores) GroupedScores.ComputeAll(x, tokenCount, gate, n, spec.HiddenSize, to);
        var probabilities = spec.Gate == GateKind.Softmax ? new double[checked(tokenCount * n)] : null;
        var experts = new int[checked(tokenCount * p)];
        var coefficients = new float[tokenCount * p];
        KernelThreads.For(tokenCount, grain: 32, (from, end) =>
        {
            var scratch = ArrayPool<uint>.Shared.Rent(n);
            for (var t = from; t < end; t++)
            {
                var row = scores.AsSpan(t * n, n);
                if (probabilities is not null) Softmax(row, probabilities.AsSpan(t * n, n));
                var chosen = experts.AsSpan(t * p, p);
                LargestK.Select(row, p, scratch, chosen);
                for (var i = 0; i < p; i++) coefficients[t * p + i] = row[chosen[i]];
            }
            ArrayPool<uint>.Shared.Return(scratch);
        });
        ArrayPool<float>.Shared.Return(scores);
        return new Routing(experts, coefficients, probabilities);
    }

    /// <summary>
    /// Adds to dx [T, D] and dG [N, D] from dc [T, P]. Linear: dg = dc at the probed experts, 0 elsewhere. Softmax: dg = g ∘ (dc − Σ dc∘g),
    /// over all N. Then dG += dgᵀ·x, dx += dg·G.
    /// </summary>
    public static void Backward(
        Routing routing, ReadOnlySpan<float> coefficientGradients, float* x, int tokenCount, float* gate, SparseAdapterSpec spec, float* dx, float* dGate)
    {
        if (routing.Probabilities is { } probabilities)
            SoftmaxBackward(routing, probabilities, coefficientGradients, x, tokenCount, gate, spec, dx, dGate);
        else
            LinearBackward(routing, coefficientGradients, x, tokenCount, gate, spec, dx, dGate);
    }

    private static void LinearBackward(
        Routing routing, ReadOnlySpan<float> dc, float* x, int tokenCount, float* gate, SparseAdapterSpec spec, float* dx, float* dGate)
    {
        var tokenStarts = Multiples(tokenCount, spec.Probe);
        fixed (int* starts = tokenStarts, experts = routing.Experts)
        fixed (float* weights = dc)
        {
            WeightedRowSum.Compute(gate, starts, experts, weights, tokenCount, spec.HiddenSize, dx, accumulate: true);
        }

        using var groups = ExpertGroups.Build(routing.Experts, spec.Probe, spec.Experts);
        var byExpert = ArrayPool<float>.Shared.Rent(dc.Length);
        for (var m = 0; m < dc.Length; m++) byExpert[m] = dc[groups.Slots[m]];
        fixed (int* starts = groups.Starts, tokens = groups.Tokens)
        fixed (float* weights = byExpert)
        {
            WeightedRowSum.Compute(x, starts, tokens, weights, spec.Experts, spec.HiddenSize, dGate, accumulate: true);
        }
        ArrayPool<float>.Shared.Return(byExpert);
    }

    private static void SoftmaxBackward(
        Routing routing, double[] probabilities, ReadOnlySpan<float> dc, float* x, int tokenCount, float* gate, SparseAdapterSpec spec, float* dx,
        float* dGate)
    {
        int n = spec.Experts, p = spec.Probe;
        var dg = new float[tokenCount * n];
        var transposed = new float[n * tokenCount];
        for (var t = 0; t < tokenCount; t++)
        {
            var g = probabilities.AsSpan(t * n, n);
            double inner = 0;
            for (var i = t * p; i < (t + 1) * p; i++) inner += dc[i] * g[routing.Experts[i]];
            var row = dg.AsSpan(t * n, n);
            for (var e = 0; e < n; e++) row[e] = (float)(-inner * g[e]);
            for (var i = t * p; i < (t + 1) * p; i++)
            {
                var e = routing.Experts[i];
                row[e] = (float)(g[e] * (dc[i] - inner));
            }
            for (var e = 0; e < n; e++) transposed[e * tokenCount + t] = row[e];
        }
        fixed (int* perToken = Multiples(tokenCount, n), perExpert = Multiples(n, tokenCount))
        fixed (float* byToken = dg, byExpert = transposed)
        {
            WeightedRowSum.Compute(gate, perToken, null, byToken, tokenCount, spec.HiddenSize, dx, accumulate: true);
            WeightedRowSum.Compute(x, perExpert, null, byExpert, n, spec.HiddenSize, dGate, accumulate: true);
        }
    }

    /// <summary>Overwrites a row of numbers with its softmax, in both precisions.</summary>
    private static void Softmax(Span<float> row, Span<double> probabilities)
    {
        var largest = float.NegativeInfinity;
        foreach (var value in row) largest = MathF.Max(largest, value);
        double sum = 0;
        for (var e = 0; e < row.Length; e++) sum += probabilities[e] = Math.Exp((double)row[e] - largest);
        for (var e = 0; e < row.Length; e++)
        {
            probabilities[e] /= sum;
            row[e] = (float)probabilities[e];
        }
    }

    /// <summary>Overwrites a row of numbers with its softmax; the same bits as with the probabilities kept.</summary>
    internal static void Softmax(Span<float> row)
    {
        var probabilities = ArrayPool<double>.Shared.Rent(row.Length);
        Softmax(row, probabilities);
        ArrayPool<double>.Shared.Return(probabilities);
    }

    private static int[] Multiples(int count, int step)
    {
        var starts = new int[count + 1];
        for (var i = 1; i <= count; i++) starts[i] = i * step;
        return starts;
    }
}
