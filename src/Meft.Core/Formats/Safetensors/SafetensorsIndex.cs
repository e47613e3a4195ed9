using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Core.Formats.Safetensors;

/// <summary>
/// <c>model.safetensors.index.json</c>: its <c>weight_map</c> names the shard, a file of the same folder, of each tensor.
/// </summary>
internal sealed class SafetensorsIndex
{
    private SafetensorsIndex(string path, IReadOnlyDictionary<string, string> shardOf)
    {
        Path = path;
        ShardOf = shardOf;
    }

    /// <summary>The index file.</summary>
    public string Path { get; }

    /// <summary>The file name of each tensor's shard.</summary>
    public IReadOnlyDictionary<string, string> ShardOf { get; }

    /// <summary>Reads an index.</summary>
    /// <exception cref="SafetensorsIndexException">The index cannot be read or is malformed.</exception>
    public static SafetensorsIndex Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return new SafetensorsIndex(path, ReadWeightMap(path, document.RootElement));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SafetensorsIndexException(path, $"the index cannot be read: {e.Message}", cause: e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SafetensorsIndexException(path, $"the index is not valid JSON: {JsonProblem.Of(e)}", cause: e);
        }
    }

    private static Dictionary<string, string> ReadWeightMap(string path, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("weight_map", out var map)
            || map.ValueKind != JsonValueKind.Object)
        {
            throw new SafetensorsIndexException(path, "there is no weight_map", allowed: "an object from tensor names to file names");
        }
        var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in map.EnumerateObject())
        {
            var shard = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
            if (shard is null || !IsFileName(shard))
            {
                throw new SafetensorsIndexException(
                    path, $"weight_map places tensor '{FileText.Shown(property.Name)}' in {FileText.Shown(property.Value.GetRawText())}", property.Name, shard,
                    "the name of a file in the index's own folder, without any folder part");
            }
            shardOf.Add(property.Name, shard);
        }
        return shardOf;
    }

    // A path could lead out of the folder to any file of the machine. Both separators are refused everywhere, so that an index
    // means the same on every system.
    private static bool IsFileName(string name) =>
        name is not ("" or "." or "..") && !name.AsSpan().ContainsAny("/\\:\0") && !System.IO.Path.IsPathRooted(name);
}
