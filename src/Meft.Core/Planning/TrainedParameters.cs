using Meft.Core.Adapters;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Planning;

/// <summary>One linear map that LoRA adapts.</summary>
/// <param name="Layer">Its layer.</param>
/// <param name="Inputs">The length of the vectors it reads.</param>
/// <param name="Outputs">The length of those it gives.</param>
/// <param name="Rank">r.</param>
/// <param name="SharesInput">Whether an adapted map before it in the same layer reads the same vectors.</param>
public sealed record PlannedMap(int Layer, int Inputs, int Outputs, int Rank, bool SharesInput);

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

    /// <summary>Bytes of a full checkpoint: float32 masters and both moments.</summary>
    public long StateBytes => 3 * sizeof(float) * Count;

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
        var spec = LoraSettings.From(method, model).Resolve(model);
        var seen = new HashSet<(int, string)>();
        IReadOnlyList<PlannedMap> maps =
        [
            .. spec.Maps.Select(m => new PlannedMap(
                m.Module.Layer, m.Module.Inputs, m.Module.Outputs, m.Rank, !seen.Add((m.Module.Layer, m.Module.InputName)))),
        ];
        return new TrainedParameters(method.Kind, spec.ParameterCount, null, maps, method.Rank, spec.Layers);
    }
}
