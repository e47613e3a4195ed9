using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Host;

namespace Meft.Benchmarking;

/// <summary>
/// One layer with start values, tokens, and what its forward pass leaves for the backward. The tokens are drawn from N(0, 1) around a
/// direction that all have in common, as hidden states are: without it the active union would be larger than on text.
/// </summary>
internal sealed unsafe class KernelSample : IDisposable
{
    private const float CommonShare = 0.7f;

    public KernelSample(KernelBenchmarkOptions options, int tokens, int rank)
    {
        var experts = MethodConfig.AutoExperts(rank);
        rank = (rank + experts - 1) / experts * experts;
        Spec = new SparseAdapterSpec(
            rank, options.HiddenSize, experts, Math.Min(options.Probe, experts), options.TopK, GateKind.Linear, [0]).Validated();
        Adapter = new SparseAdapter(Spec).Initialize(seed: 1);
        X = Tokens(tokens, seed: 2);
        Gradient = Tokens(tokens, seed: 3);
        Output = new HostMatrix(tokens, Spec.HiddenSize);
        SeededNormal.Fill(Store.Values.Weights, SparseAdapter.KeyDeviation, 4, 0);
        Routing = KeyExpertsRouter.Route(X.Data, tokens, Store.Gate.Weights.Data, Spec);
        Active = ActiveSetBuilder.Build(X.Data, tokens, Store.Keys.Weights.Data, Store.Gate.Weights.Data, Spec);
        Buffer = new HostMatrix(Math.Max(1, Active.UnionCount), Spec.HiddenSize);
        Facts = new KernelSampleFacts(tokens, rank, experts, Active.EntryCount, Active.UnionCount);
    }

    public SparseAdapterSpec Spec { get; }

    public SparseAdapter Adapter { get; }

    public HostParameterStore Store => Adapter.Stores.First().Value;

    /// <summary>[T, D].</summary>
    public HostMatrix X { get; }

    /// <summary>[T, D].</summary>
    public HostMatrix Gradient { get; }

    /// <summary>[T, D], room for results.</summary>
    public HostMatrix Output { get; }

    /// <summary>[U, D], where rows that travel are staged.</summary>
    public HostMatrix Buffer { get; }

    public Routing Routing { get; }

    public ActiveSet Active { get; }

    public KernelSampleFacts Facts { get; }

    public void Dispose()
    {
        Adapter.Dispose();
        X.Dispose();
        Gradient.Dispose();
        Output.Dispose();
        Buffer.Dispose();
    }

    private HostMatrix Tokens(int count, ulong seed)
    {
        var tokens = new HostMatrix(count, Spec.HiddenSize);
        using var common = new HostMatrix(1, Spec.HiddenSize);
        SeededNormal.Fill(tokens, MathF.Sqrt(1 - CommonShare * CommonShare), seed, 0);
        SeededNormal.Fill(common, CommonShare, seed, 1);
        for (var t = 0; t < count; t++)
        {
            var row = tokens.Row(t);
            for (var d = 0; d < row.Length; d++) row[d] += common.Row(0)[d];
        }
        return tokens;
    }
}
