using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Tasks;
using Meft.Core.Formats;
using Meft.Training.Runs;

namespace Meft.Evaluation;

/// <summary>What the rows of an evaluation depend on: task, data, model and adapter by the SHA-256 of their files, and what was asked for.</summary>
public static class EvalFingerprint
{
    /// <summary>Computes it; it reads every file.</summary>
    /// <param name="task">The task.</param>
    /// <param name="dataFiles">The data files, in order.</param>
    /// <param name="model">Where the model lies.</param>
    /// <param name="adapterFolder">The adapter's folder; null for none.</param>
    /// <param name="options">What else changes the rows, by name, for example a limit.</param>
    /// <exception cref="Core.Errors.InvalidInputException">A file cannot be read.</exception>
    public static EvalIdentity Of(
        EvalTask task, IReadOnlyList<string> dataFiles, ModelLocation model, string? adapterFolder, IReadOnlyDictionary<string, string> options)
    {
        var facts = new Dictionary<string, string>
        {
            ["task"] = $"{task.Name} {Short(RunManifest.HashOfText(task.Source))}",
            ["data"] = HashOf(dataFiles),
            ["model"] = HashOf(FilesOf(model)),
            ["adapter"] = adapterFolder is null ? "none" : HashOf(FilesIn(adapterFolder)),
        };
        foreach (var (name, value) in options) facts[name] = value;
        return new EvalIdentity(facts);
    }

    /// <summary>A model's files in short; it reads them all.</summary>
    /// <exception cref="Core.Errors.InvalidInputException">A file cannot be read.</exception>
    public static string OfModel(ModelLocation model) => HashOf(FilesOf(model));

    /// <summary>An adapter's files in short; it reads them all.</summary>
    /// <exception cref="Core.Errors.InvalidInputException">A file cannot be read.</exception>
    public static string OfAdapter(string folder) => HashOf(FilesIn(folder));

    private static IEnumerable<string> FilesOf(ModelLocation model) => model.WeightsPath == model.Folder
        ? FilesIn(model.Folder)
        : FilesIn(model.Folder).Where(file => Path.GetExtension(file) != ".safetensors" && Path.GetExtension(file) != ".gguf").Append(model.WeightsPath);

    private static IEnumerable<string> FilesIn(string folder) => Directory.EnumerateFiles(folder)
        .Where(file => Path.GetExtension(file) is ".json" or ".safetensors" or ".gguf" or ".model" || Path.GetFileName(file) == "merges.txt").Order(StringComparer.Ordinal);

    private static string HashOf(IEnumerable<string> files) =>
        Short(RunManifest.HashOfText(string.Join('\n', files.Select(file => $"{Path.GetFileName(file)} {RunManifest.HashOf(file)}"))));

    private static string Short(string hash) => hash[..16];
}
