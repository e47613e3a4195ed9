using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Storage;
using Meft.Core.Tokenization;

namespace Meft.Inspection;

/// <summary>Tells what a path holds without loading it: headers and configs are read, no weights.</summary>
public static class PathInspector
{
    /// <summary>R where nobody asks for another.</summary>
    public const int DefaultRank = 4096;

    /// <summary>LoRA's r where nobody asks for another.</summary>
    public const int DefaultLoraRank = 8;

    private const int ShownEntries = 8;

    private const string Allowed =
        "a model folder, a .gguf or .safetensors file, a folder with a tokenizer, an adapter folder, a run's folder or one of its checkpoints";

    /// <summary>Looks at a path.</summary>
    /// <param name="path">A file or folder.</param>
    /// <param name="rank">R of the sparse adapter whose cost a model's report tells.</param>
    /// <param name="loraRank">r of the LoRA adapter whose cost it tells.</param>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is known, or a file is malformed.</exception>
    public static PathReport Inspect(string path, int rank = DefaultRank, int loraRank = DefaultLoraRank)
    {
        var models = new ModelInspector(rank, loraRank);
        try
        {
            if (Directory.Exists(path)) return InspectFolder(path, models);
            if (!File.Exists(path)) throw Missing(path);
            return Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".gguf" => models.InspectGguf(path),
                ".safetensors" => ModelInspector.InspectSafetensors(path),
                var ending => throw Unknown(path, ending),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"it cannot be read: {e.Message}", path, null, "Check the permissions", e);
        }
    }

    private static PathReport InspectFolder(string folder, ModelInspector models)
    {
        if (AdapterInspector.IsAdapter(folder)) return AdapterInspector.Inspect(folder);
        if (RunInspector.IsRun(folder)) return RunInspector.Inspect(folder);
        if (RunInspector.IsCheckpoint(folder)) return RunInspector.InspectCheckpoint(folder);
        if (File.Exists(Path.Combine(folder, ModelLocation.ConfigFileName)) || ModelInspector.HoldsWeights(folder)) return models.InspectFolder(folder);
        if (TokenizerFolder.HasTokenizer(folder)) return TokenizerInspector.Inspect(folder);
        throw new InvalidInputException("the folder holds nothing that is known", folder, Allowed, Contents(folder));
    }

    private static InvalidInputException Missing(string path)
    {
        var nearest = NearestPath.IfClose(path);
        return new InvalidInputException("there is no such file or folder", path, Allowed, nearest is null ? "Correct the path" : $"Did you mean {nearest}?");
    }

    private static InvalidInputException Unknown(string path, string ending)
    {
        var folder = Path.GetDirectoryName(path) is { Length: > 0 } named ? named : ".";
        var isPart = File.Exists(Path.Combine(folder, ModelLocation.ConfigFileName)) || AdapterInspector.IsAdapter(folder) || RunInspector.IsRun(folder)
            || TokenizerFolder.HasTokenizer(folder);
        var problem = ending.Length == 0 ? "files without an ending are not known" : $"files that end with '{ending}' are not known";
        return new InvalidInputException(problem, path, Allowed, isPart ? $"Name its folder, {folder}" : null);
    }

    private static string Contents(string folder)
    {
        if (ModelInspector.LooseFiles(folder) is { } loose) return $"Name one of its files: {loose}";
        var names = Directory.EnumerateFileSystemEntries(folder).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal).ToList();
        if (names.Count == 0) return "It is empty";
        return $"It holds {string.Join(", ", names.Take(ShownEntries))}{(names.Count > ShownEntries ? ", …" : "")}";
    }
}
