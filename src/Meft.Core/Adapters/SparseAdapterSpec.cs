using Meft.Core.Configuration;
using Meft.Core.Errors;

namespace Meft.Core.Adapters;

/// <summary>
/// The sizes of a sparse adapter: all that is needed to lay it out, without its numbers. Letters of docs/method.md in brackets.
/// </summary>
/// <param name="Rank">Neurons a layer [R], a multiple of <paramref name="Experts"/>.</param>
/// <param name="HiddenSize">Hidden size of the base model [D].</param>
/// <param name="Experts">Experts a layer [N]; 0: no router, every neuron is a candidate.</param>
/// <param name="Probe">Experts a token probes [P].</param>
/// <param name="TopK">Neurons a token may activate [k]; 0: all candidates.</param>
/// <param name="Gate">How the router's numbers become coefficients.</param>
/// <param name="Layers">The adapted layers by their absolute index, ascending [L of them].</param>
public sealed record SparseAdapterSpec(
    int Rank, int HiddenSize, int Experts, int Probe, int TopK, GateKind Gate, IReadOnlyList<int> Layers)
{
    /// <summary>Neurons an expert [E]; all of them without a router.</summary>
    public int RowsPerExpert => Experts == 0 ? Rank : Rank / Experts;

    /// <summary>Parameters over all adapted layers: keys, values and gate.</summary>
    public long ParameterCount => Layers.Count * ((2L * Rank + Experts) * HiddenSize);

    /// <summary>The adapter that a method asks for beside a base model.</summary>
    /// <param name="method">Of kind meft.</param>
    /// <param name="hiddenSize">D of the base.</param>
    /// <param name="layerCount">Layers of the base.</param>
    /// <exception cref="InvalidInputException">The model lacks a layer that is asked for, or a size is out of range.</exception>
    public static SparseAdapterSpec From(MethodConfig method, int hiddenSize, int layerCount) => new SparseAdapterSpec(
        method.Rank, hiddenSize, method.Experts, method.Probe, method.TopK, method.Gate, method.Layers.Resolve(layerCount)).Validated();

    /// <summary>Refuses sizes that make no adapter.</summary>
    /// <exception cref="InvalidInputException">A size is out of range; the message names it and what is allowed.</exception>
    public SparseAdapterSpec Validated()
    {
        Require(Rank >= 1, $"rank {Rank}", "1 or more");
        Require(HiddenSize >= 1, $"hidden size {HiddenSize}", "1 or more");
        Require(Experts >= 0, $"experts {Experts}", "0 (no router) or more");
        Require(TopK >= 0, $"top_k {TopK}", "0 (all candidates) or more");
        if (Experts > 0)
        {
            Require(Probe >= 1 && Probe <= Experts, $"probe {Probe} with {Experts} experts", $"1 to {Experts}");
            Require(Rank % Experts == 0, $"rank {Rank} with {Experts} experts", $"a multiple of {Experts}");
        }
        Require(Layers.Count > 0, "no adapted layers", "at least one layer");
        return this;
    }

    private static void Require(bool holds, string what, string allowed)
    {
        if (!holds) throw new InvalidInputException($"a sparse adapter cannot have {what}", null, allowed);
    }
}
