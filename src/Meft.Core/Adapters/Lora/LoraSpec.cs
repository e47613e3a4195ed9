using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Adapters.Lora;

/// <summary>A linear map with its low-rank addition scale·B·A.</summary>
/// <param name="Module">The map.</param>
/// <param name="Rank">r: rows of A, columns of B.</param>
/// <param name="Scale">What B·A is multiplied with.</param>
public sealed record LoraMapSpec(LinearModule Module, int Rank, double Scale)
{
    /// <summary>The parameters of A [r, in] and B [out, r].</summary>
    public long ParameterCount => (long)Rank * (Module.Inputs + Module.Outputs);
}

/// <summary>Which maps of a model have a low-rank addition: all that is needed to lay a LoRA adapter out, without its numbers.</summary>
/// <param name="Maps">The adapted maps, layer by layer; at least one.</param>
/// <param name="Dropout">The share of the additions' inputs that training drops.</param>
public sealed record LoraSpec(IReadOnlyList<LoraMapSpec> Maps, double Dropout)
{
    /// <summary>Parameters of all maps.</summary>
    public long ParameterCount => Maps.Sum(m => m.ParameterCount);

    /// <summary>Bytes a token kept for the backward in a layer: a float32 copy of each different input, and the r numbers between the two maps.</summary>
    public long KeptBytesPerToken(int layer)
    {
        var maps = Maps.Where(m => m.Module.Layer == layer).ToList();
        return sizeof(float) * (maps.DistinctBy(m => m.Module.InputName).Sum(m => (long)m.Module.Inputs) + maps.Sum(m => (long)m.Rank));
    }

    /// <summary>The layers with an adapted map, ascending.</summary>
    public IReadOnlyList<int> Layers => [.. Maps.Select(m => m.Module.Layer).Distinct().Order()];
}
