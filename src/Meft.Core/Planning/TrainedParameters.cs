using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Planning;

/// <summary>One linear map that LoRA adapts.</summary>
/// <param name="Layer">Its layer.</param>
/// <param name="Inputs">The length of the vectors it reads.</param>
/// <param name="Outputs">The length of those it gives.</param>
/// <param name="SharesInput">Whether an adapted map before it in the same layer reads the same vectors.</param>
public sealed record PlannedMap(int Layer, int Inputs, int Outputs, bool SharesInput);

/// <summary>What a method trains, in numbers of parameters and by layer; the sizes a plan is made of.</summary>
/// <param name="Kind">The method.</param>
/// <param name="Count">Trained parameters.</param>
/// <param name="Sparse">The adapter with rows: kinds meft and parallel (there without experts and with k = 0); else null.</param>
/// <param name="Maps">The maps with a low-rank addition: kind lora; else empty.</param>
/// <param name="Rank">LoRA's r; R of an adapter with rows; else 0.</param>
/// <param name="Layers">The adapted layers, ascending; every layer where the base is trained.</param>
public sealed record TrainedParameters(
    MethodKind Kind, long Count, SparseAdapterSpec? Sparse, IReadOnlyList<PlannedMap> Maps, int Rank, IReadOnlyList<int> Layers)
{
    /// <summary>The lowest layer with something to train; layers below it need no gradient.</summary>
    public int FirstLayer => Layers[0];

    /// <summary>What a config's method trains beside, or of, a model.</summary>
    /// <exception cref="Errors.InvalidInputException">The model lacks a layer that is asked for.</exception>
    public static TrainedParameters Of(MethodConfig method, ModelConfig model)
    {
        if (method.Kind == MethodKind.Full)
            return new TrainedParameters(method.Kind, model.ParameterCount, null, [], 0, [.. Enumerable.Range(0, model.LayerCount)]);
        if (method.Kind == MethodKind.Lora) return Lora(method, model);
        var spec = SparseAdapterSpec.From(method, model.HiddenSize, model.LayerCount);
        if (method.Kind == MethodKind.Parallel) spec = spec with { Experts = 0, Probe = 0, TopK = 0 };
        return new TrainedParameters(method.Kind, spec.ParameterCount, spec, [], spec.Rank, spec.Layers);
    }

    private static TrainedParameters Lora(MethodConfig method, ModelConfig model)
    {
        var maps = method.Layers.Resolve(model.LayerCount).SelectMany(layer => MapsOf(model, layer, method.Targets)).ToList();
        int[] layers = [.. maps.Select(m => m.Layer).Distinct()];
        return new TrainedParameters(
            method.Kind, maps.Sum(m => (long)method.RequestedRank * (m.Inputs + m.Outputs)), null, maps, method.RequestedRank,
            layers.Length > 0 ? layers : [0]);
    }

    private static IEnumerable<PlannedMap> MapsOf(ModelConfig model, int layer, IEnumerable<string> targets)
    {
        int hidden = model.HiddenSize, inner = model.IntermediateSize;
        int queries = model.HeadCount * model.HeadSize, keys = model.KeyValueHeadCount * model.HeadSize;
        (string Name, string Input, int Inputs, int Outputs)[] all =
        [
            ("q_proj", "attention", hidden, queries), ("k_proj", "attention", hidden, keys), ("v_proj", "attention", hidden, keys),
            ("o_proj", "attended", queries, hidden), ("gate_proj", "feed-forward", hidden, inner), ("up_proj", "feed-forward", hidden, inner),
            ("down_proj", "product", inner, hidden),
        ];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var map in all.Where(m => targets.Contains(m.Name)))
            yield return new PlannedMap(layer, map.Inputs, map.Outputs, !seen.Add(map.Input));
    }
}
