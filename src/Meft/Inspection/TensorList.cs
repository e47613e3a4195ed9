using System.Text.Json.Serialization;

namespace Meft.Inspection;

/// <summary>A tensor of a file.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="DType">Its element or block type, as the format spells it.</param>
/// <param name="Shape">The sizes of its dimensions.</param>
/// <param name="Bytes">Bytes in the file.</param>
public sealed record TensorFacts(string Name, [property: JsonPropertyName("dtype")] string DType, IReadOnlyList<long> Shape, long Bytes)
{
    /// <summary>The number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>The tensors of one type.</summary>
/// <param name="DType">The type.</param>
/// <param name="Tensors">How many there are.</param>
/// <param name="Elements">Their elements.</param>
/// <param name="Bytes">Their bytes in the file.</param>
public sealed record TypeTotal([property: JsonPropertyName("dtype")] string DType, int Tensors, long Elements, long Bytes);

/// <summary>Tensors, with their totals.</summary>
public sealed record TensorList
{
    /// <summary>Sums tensors up.</summary>
    public TensorList(IEnumerable<TensorFacts> tensors)
    {
        All = [.. tensors];
        ByType = [.. All.GroupBy(t => t.DType).OrderByDescending(g => g.Sum(t => t.Bytes))
            .Select(g => new TypeTotal(g.Key, g.Count(), g.Sum(t => t.Elements), g.Sum(t => t.Bytes)))];
    }

    /// <summary>How many there are.</summary>
    public int Count => All.Count;

    /// <summary>Elements of all tensors.</summary>
    public long Elements => ByType.Sum(t => t.Elements);

    /// <summary>Bytes of all tensors in the file.</summary>
    public long Bytes => ByType.Sum(t => t.Bytes);

    /// <summary>Bits of the file that an element takes in the mean; null where there are none.</summary>
    public double? BitsPerElement => Elements == 0 ? null : Math.Round(8.0 * Bytes / Elements, 3);

    /// <summary>Totals by type, the largest first.</summary>
    public IReadOnlyList<TypeTotal> ByType { get; }

    /// <summary>Each tensor, in the order of the file.</summary>
    public IReadOnlyList<TensorFacts> All { get; }
}
