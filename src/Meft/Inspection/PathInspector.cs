using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Storage;

namespace Meft.Inspection;

/// <summary>Tells what a path holds without loading it: headers and configs are read, no weights.</summary>
public static class PathInspector
{
    private const string Allowed = "a model folder, a .gguf or .safetensors file, an adapter folder, a run's folder or one of its checkpoints";

    /// <summary>Looks at a path.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="rank">R of the adapter whose cost a model's report tells.</param>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is known, or a file is malformed.</exception>
    public static PathReport Inspect(string path, int rank)
    {
        if (Directory.Exists(path)) return InspectFolder(path, rank);
        if (!File.Exists(path))
        {
            var nearest = NearestPath.IfClose(path);
            throw new InvalidInputException("there is no such file or folder", path, Allowed, nearest is null ? "Correct the path" : $"Did you mean {nearest}?");
        }
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".gguf" => ModelInspector.InspectGguf(path, rank),
            ".safetensors" => ModelInspector.InspectSafetensors(path),
            var ending => throw new InvalidInputException($"files that end with '{ending}' are not known", path, Allowed),
        };
    }

    private static PathReport InspectFolder(string folder, int rank)
    {
        if (AdapterInspector.IsAdapter(folder)) return AdapterInspector.Inspect(folder);
        if (RunInspector.IsRun(folder)) return RunInspector.Inspect(folder);
        if (RunInspector.IsCheckpoint(folder)) return RunInspector.InspectCheckpoint(folder);
        if (File.Exists(Path.Combine(folder, ModelLocation.ConfigFileName)) || ModelInspector.HoldsWeights(folder))
            return ModelInspector.InspectFolder(folder, rank);
        throw new InvalidInputException("the folder holds nothing that is known", folder, Allowed, Contents(folder));
    }

    private static string Contents(string folder)
    {
        var names = Directory.EnumerateFileSystemEntries(folder).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal).Take(8).ToList();
        return names.Count == 0 ? "It is empty" : $"It holds {string.Join(", ", names)}";
    }
}
