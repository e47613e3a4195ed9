using System.Globalization;

namespace Meft.Core.Configuration.Types;

/// <summary>A file, alone or as <c>{file: a.jsonl, weight: 2}</c>.</summary>
internal sealed class WeightedFileType : ConfigType<WeightedFile>
{
    private const string FileKey = "file", WeightKey = "weight";
    private const double MostWeight = 1e6;
    private static readonly PathType Path = new("a file");
    private static readonly NumberType Weight = new(0, above: true);

    /// <inheritdoc/>
    public override string Allowed => "a file, or {file: a.jsonl, weight: 2}";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out WeightedFile value)
    {
        value = new WeightedFile("", 1);
        if (node is ConfigMapping mapping) return ReadMapping(mapping, folder, ref value);
        var problem = Path.Read(node, folder, out var file);
        value = new WeightedFile(file, 1);
        return problem;
    }

    /// <inheritdoc/>
    public override string Write(WeightedFile value) => value.Weight == 1
        ? Path.Write(value.File)
        : $"{{{FileKey}: {Path.Write(value.File)}, {WeightKey}: {Weight.Write(value.Weight)}}}";

    private string? ReadMapping(ConfigMapping mapping, string folder, ref WeightedFile value)
    {
        if (mapping.Entries.GroupBy(e => e.Key, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice) return $"'{twice.Key}' stands twice in {{…}}";
        if (mapping.Entries.FirstOrDefault(e => e.Key is not (FileKey or WeightKey)) is { } unknown)
        {
            var meant = NearestName.IfClose(unknown.Key, [FileKey, WeightKey]);
            return $"'{unknown.Key}' is no key of a file" + (meant is null ? "" : $" (did you mean {meant}?)");
        }
        if (mapping.Entries.FirstOrDefault(e => e.Key == FileKey) is not { } file) return $"{{…}} names no file; a file with a weight is written {Allowed[(Allowed.IndexOf('{', StringComparison.Ordinal))..]}";
        if (Path.Read(file.Value, folder, out var path) is { } problem) return problem;
        value = new WeightedFile(path, 1);
        if (mapping.Entries.FirstOrDefault(e => e.Key == WeightKey)?.Value is not { } node || node is ConfigScalar { IsNull: true }) return null;
        if (Weight.Read(node, folder, out var weight) is { } wrong)
        {
            return $"the weight of {System.IO.Path.GetFileName(path)}: {wrong}"
                + (node is ConfigScalar { Quoted: false } scalar && IsZero(scalar.Text) ? "; leave the file out to take none of its rows" : "");
        }
        if (weight > MostWeight) return $"the weight of {System.IO.Path.GetFileName(path)}: {Weight.Write(weight)} is out of range; at most {Weight.Write(MostWeight)}";
        value = new WeightedFile(path, weight);
        return null;
    }

    private static bool IsZero(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number == 0;
}
