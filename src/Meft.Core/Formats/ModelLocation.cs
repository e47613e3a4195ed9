using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Storage;

namespace Meft.Core.Formats;

/// <summary>Where a model lies: what <c>--model</c>, or <c>model</c> in a config, names.</summary>
/// <param name="WeightsPath">What <see cref="ModelWeights"/> opens: the folder, or the .gguf file.</param>
/// <param name="Folder">The folder with config.json, generation_config.json and the tokenizer's files.</param>
public sealed record ModelLocation(string WeightsPath, string Folder)
{
    /// <summary>The name of a model's config.</summary>
    public const string ConfigFileName = "config.json";

    private const int SuggestedFolders = 3;

    private const string Allowed = "a Hugging Face folder, or a .gguf file beside its config.json and tokenizer files";

    /// <summary>The full path of config.json, be it there or not.</summary>
    public string ConfigPath => Path.Combine(Folder, ConfigFileName);

    /// <summary>Finds a model's files; whether they are all there is seen when they are read.</summary>
    /// <exception cref="InvalidInputException">There is nothing at that path, or something that is no model.</exception>
    public static ModelLocation Find(string path)
    {
        if (Directory.Exists(path)) return new ModelLocation(path, path);
        if (!File.Exists(path))
        {
            var nearest = NearestPath.IfClose(path);
            throw new InvalidInputException(
                "there is no such model", path, Allowed, nearest is null ? "Correct the path" : $"Did you mean {nearest}?");
        }
        var folder = Path.GetDirectoryName(path) is { Length: > 0 } named ? named : ".";
        if (Path.GetExtension(path).Equals(".gguf", StringComparison.OrdinalIgnoreCase)) return new ModelLocation(path, folder);
        throw new InvalidInputException(
            "the file is no model", path, Allowed, File.Exists(Path.Combine(folder, ConfigFileName)) ? $"Name its folder, {folder}" : null);
    }

    /// <summary>Reads the model's config.json.</summary>
    /// <exception cref="InvalidInputException">
    /// The file is missing (the text says what the folder is instead, where that can be told), is no JSON, or describes no known model.
    /// </exception>
    public ModelConfig ReadConfig()
    {
        if (File.Exists(ConfigPath)) return ModelConfigReader.Read(ConfigPath);
        throw new InvalidInputException($"there is no {ConfigFileName}", Folder, Allowed, Advice());
    }

    private string? Advice()
    {
        if (File.Exists(Path.Combine(Folder, "adapter_config.json")))
            return "This is an adapter's folder: name it with --adapter, and its base model with --model";
        if (Path.GetExtension(WeightsPath).Equals(".gguf", StringComparison.OrdinalIgnoreCase))
            return "Put the config.json and tokenizer.json of the original model into the file's folder";
        var below = Directory.EnumerateDirectories(Folder).Where(f => File.Exists(Path.Combine(f, ConfigFileName)))
            .Order(StringComparer.Ordinal).Take(SuggestedFolders).ToList();
        return below.Count == 0 ? null : $"Did you mean {string.Join(" or ", below)}?";
    }
}
