using System.Text.Json;
using Meft.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.Safetensors;

namespace Meft.Inspection;

/// <summary>Looks at adapter folders: sparse ones, and those of other kinds as far as they say.</summary>
internal static class AdapterInspector
{
    /// <summary>Whether a folder is an adapter's.</summary>
    public static bool IsAdapter(string folder) => File.Exists(Path.Combine(folder, AdapterConfig.FileName));

    /// <summary>An adapter folder.</summary>
    public static PathReport Inspect(string folder)
    {
        var weights = Path.Combine(folder, SparseAdapterFiles.WeightsFileName);
        var report = new PathReport { Kind = PathKind.Adapter, Path = folder, Adapter = Facts(folder) };
        if (!File.Exists(weights)) return report with { Remarks = [$"no {SparseAdapterFiles.WeightsFileName}: the adapter cannot be loaded"] };
        using var file = SafetensorsFile.Open(weights);
        return report with { Tensors = ModelInspector.Tensors(file) };
    }

    private static AdapterFacts Facts(string folder)
    {
        var path = Path.Combine(folder, AdapterConfig.FileName);
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw new InvalidInputException($"the file holds a JSON {root.ValueKind}", path, "a JSON object");
            var kind = Text(root, "peft_type") ?? throw new InvalidInputException("'peft_type' is missing", path, "the config of an adapter");
            if (kind != AdapterConfig.Kind)
                return new AdapterFacts(kind, Text(root, "base_model_name_or_path"), root.TryGetProperty("r", out var r) && r.TryGetInt32(out var rank) ? rank : null);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new InvalidInputException($"not the config of an adapter: {e.Message}", path, null, null, e);
        }
        var config = AdapterConfig.Read(folder);
        return new AdapterFacts(
            config.PeftType, config.BaseModelNameOrPath, config.Rank, config.HiddenSize, config.Experts, config.Probe, config.TopK,
            ChoiceName.Of(config.Gate), config.Layers);
    }

    private static string? Text(JsonElement config, string key) =>
        config.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
