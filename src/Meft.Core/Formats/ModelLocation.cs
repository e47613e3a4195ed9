using Meft.Core.Chat;
using Meft.Core.Errors;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Storage;
using Meft.Core.Tokenization;

namespace Meft.Core.Formats;

/// <summary>Where a model lies: what <c>--model</c>, or <c>model</c> in a config, names.</summary>
/// <param name="WeightsPath">What <see cref="ModelWeights"/> opens: the folder, or the .gguf file.</param>
/// <param name="Folder">
/// The folder with config.json, generation_config.json and the tokenizer's files; what it lacks of them is read from the .gguf file.
/// </param>
public sealed record ModelLocation(string WeightsPath, string Folder)
{
    /// <summary>The name of a model's config.</summary>
    public const string ConfigFileName = "config.json";

    private const int SuggestedFolders = 3;

    private const string Allowed = "a Hugging Face folder, or a .gguf file";

    /// <summary>The full path of config.json, be it there or not.</summary>
    public string ConfigPath => Path.Combine(Folder, ConfigFileName);

    /// <summary>The GGUF file with the weights; null where they are in another form, or where it is not clear in which file they are.</summary>
    public string? GgufPath => IsGguf(WeightsPath) ? WeightsPath
        : Directory.Exists(Folder) && !Directory.EnumerateFiles(Folder, "*.safetensors").Any() && Directory.GetFiles(Folder, "*.gguf") is [var only] ? only : null;

    /// <summary>Where the tokenizer is read from: the folder, or the GGUF file where the folder has none.</summary>
    public string TokenizerPath => TokenizerFolder.HasTokenizer(Folder) ? Folder : GgufPath ?? Folder;

    /// <summary>Where the chat template is read from: the folder, or the GGUF file where the folder has none.</summary>
    public string ChatTemplatePath => GgufPath is { } file && !ChatTemplate.IsIn(Folder) ? file : Folder;

    /// <summary>Whether there is a config.json, or a GGUF file in its place.</summary>
    public bool HasConfig => File.Exists(ConfigPath) || GgufPath is not null;

    /// <summary>Whether the model has a tokenizer.</summary>
    public bool HasTokenizer => TokenizerFolder.HasTokenizer(TokenizerPath);

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
        if (IsGguf(path)) return new ModelLocation(path, folder);
        throw new InvalidInputException(
            "the file is no model", path, Allowed, File.Exists(Path.Combine(folder, ConfigFileName)) ? $"Name its folder, {folder}" : null);
    }

    /// <summary>Reads the model's config.json; where there is none, or one of an unknown architecture, the metadata of its GGUF file.</summary>
    /// <exception cref="InvalidInputException">
    /// Both are missing (the text says what the folder is instead, where that can be told), is no JSON, or describes no known model.
    /// </exception>
    public ModelConfig ReadConfig()
    {
        try
        {
            if (File.Exists(ConfigPath)) return ModelConfigReader.Read(ConfigPath);
        }
        catch (UnknownModelException) when (GgufPath is not null)
        {
            // As of a model of text and pictures, of which the GGUF file holds the text part.
        }
        if (GgufPath is { } file) return GgufConfig.Read(file);
        ModelWeights.RefuseSeveralGguf(Folder);
        throw new InvalidInputException($"there is no {ConfigFileName}", Folder, Allowed, Advice());
    }

    /// <summary>Refuses a model whose tokenizer is in its GGUF file alone, where a model is to be made from it that needs one of its own.</summary>
    /// <exception cref="InvalidInputException">It is; the text says what to do.</exception>
    public void RequireTokenizerFiles()
    {
        if (TokenizerPath == Folder || !HasTokenizer) return;
        throw new InvalidInputException(
            "the model's tokenizer is in its GGUF file alone, and the new model's folder would have none", TokenizerPath, "a model with tokenizer files",
            $"Put the {HuggingFaceTokenizer.FileName} and {TokenizerConfig.FileName} of the original model into {Folder}");
    }

    private string? Advice()
    {
        if (File.Exists(Path.Combine(Folder, "adapter_config.json")))
            return "This is an adapter's folder: name it with --adapter, and its base model with --model";
        var below = Directory.EnumerateDirectories(Folder).Where(f => File.Exists(Path.Combine(f, ConfigFileName)))
            .Order(StringComparer.Ordinal).Take(SuggestedFolders).ToList();
        return below.Count == 0 ? null : $"Did you mean {string.Join(" or ", below)}?";
    }

    private static bool IsGguf(string path) => Path.GetExtension(path).Equals(".gguf", StringComparison.OrdinalIgnoreCase);
}
