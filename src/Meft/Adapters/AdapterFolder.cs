using System.Text.Json;
using System.Text.Json.Nodes;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Adapters;

/// <summary>A folder with an <c>adapter_config.json</c>, of whatever kind of adapter.</summary>
internal static class AdapterFolder
{
    private const string KindKey = "peft_type";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The path of a folder's config.</summary>
    /// <exception cref="InvalidInputException">There is none; the text says what may have been meant.</exception>
    public static string ConfigPath(string folder)
    {
        var path = Path.Combine(folder, AdapterConfig.FileName);
        if (File.Exists(path)) return path;
        var inside = Path.Combine(folder, "adapter");
        var meant = File.Exists(Path.Combine(inside, AdapterConfig.FileName)) ? inside : Directory.Exists(folder) ? null : NearestPath.IfClose(folder);
        throw new InvalidInputException(
            Directory.Exists(folder) ? $"no {AdapterConfig.FileName}" : "there is no such folder", folder,
            "an adapter folder, for example the `adapter` folder of a run", meant is null ? "check the path" : $"Did you mean {meant}?");
    }

    /// <summary>Reads a folder's config as it is.</summary>
    /// <exception cref="InvalidInputException">There is none, it cannot be read, is no JSON object, or has a key twice.</exception>
    public static JsonObject ReadConfig(string folder)
    {
        var path = ConfigPath(folder);
        try
        {
            var node = JsonNode.Parse(File.ReadAllBytes(path), null, Strict);
            ReadTexts(node);
            return node as JsonObject ?? throw new InvalidInputException("the file holds no JSON object", path, "the config of an adapter");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"not the config of an adapter: {e.Message}", path, null, null, e);
        }
    }

    /// <summary>What kind of adapter a folder holds: its config's <c>peft_type</c>.</summary>
    /// <exception cref="InvalidInputException">As <see cref="ReadConfig"/>; or the config does not say it.</exception>
    public static string KindOf(string folder) =>
        ReadConfig(folder)[KindKey] is JsonValue value && value.TryGetValue<string>(out var kind)
            ? kind
            : throw new InvalidInputException($"'{KindKey}' is missing", ConfigPath(folder), "the config of an adapter");

    /// <summary>Reads every name and text once: one that is no Unicode shows only then.</summary>
    private static void ReadTexts(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject inner:
                foreach (var (_, value) in inner) ReadTexts(value);
                break;
            case JsonArray list:
                foreach (var item in list) ReadTexts(item);
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                _ = value.GetValue<string>();
                break;
        }
    }
}
