using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Models;

/// <summary>Where a checkpoint's tensors are not those that a model's config asks for: looked at by names, shapes and types, without reading a number.</summary>
/// <param name="Missing">Names, in the file's spelling, of tensors that are needed and not there.</param>
/// <param name="Unexpected">Names of tensors that are there and not known.</param>
/// <param name="Wrong">Tensors of a wrong shape or type, each as a phrase with both values.</param>
internal sealed record WeightsDifference(IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected, IReadOnlyList<string> Wrong)
{
    /// <summary>Compares; null where all fits.</summary>
    public static WeightsDifference? Between(ITensorSource source, ModelConfig config)
    {
        // A layer has several tensors: a config of more layers than there are tensors is no model's, and its names need not all be written out.
        if (config.LayerCount > source.Tensors.Count)
            return new WeightsDifference([], [], [$"there are {source.Tensors.Count} tensors in all, the config asks for {config.LayerCount} layers"]);
        var specs = HuggingFaceWeightNames.Of(config).ToDictionary(spec => spec.Name, StringComparer.Ordinal);
        var copies = HuggingFaceWeightNames.CopiesOf(config).Where(spec => source.Tensors.ContainsKey(spec.Name));
        var difference = new WeightsDifference(
            [.. specs.Keys.Where(name => !source.Tensors.ContainsKey(name)).Select(source.NameInFile).Order(StringComparer.Ordinal)],
            [.. source.Tensors.Keys.Where(name => !specs.ContainsKey(name) && !HuggingFaceWeightNames.MayBeIgnored(name, config))
                .Select(source.NameInFile).Concat(source.Unplaced).Order(StringComparer.Ordinal)],
            [.. specs.Values.Where(spec => source.Tensors.ContainsKey(spec.Name)).Concat(copies).Select(spec => Fault(spec, source)).OfType<string>()]);
        return difference.Missing.Count + difference.Unexpected.Count + difference.Wrong.Count > 0 ? difference : null;
    }

    /// <summary>All that differs, layers that differ alike together.</summary>
    public override string ToString() => Told(int.MaxValue);

    /// <summary>What differs, of each kind so many groups of layers at most.</summary>
    public string Told(int most)
    {
        var parts = new[] { Kind(Missing, "missing"), Kind(Unexpected, "unexpected"), Kind(Wrong, "wrong") };
        return "the tensors do not fit the config: " + string.Join("; ", parts.OfType<string>());

        string? Kind(IReadOnlyList<string> names, string title) => names.Count == 0 ? null : $"{names.Count} {title} ({TensorNames.Listed(names, most)})";
    }

    private static string? Fault(WeightSpec spec, ITensorSource source)
    {
        var (name, entry) = (source.NameInFile(spec.Name), source.Tensors[spec.Name]);
        if (!entry.Shape.SequenceEqual(spec.Shape)) return $"{name} is [{string.Join(", ", entry.Shape)}], the config asks for [{string.Join(", ", spec.Shape)}]";
        return FloatCopy.Knows(entry.DType) ? null : $"{name} has the type {entry.DType.FileName()}, not one of F64, F32, F16, BF16";
    }
}
