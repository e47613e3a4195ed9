using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.Gguf;

namespace Meft.Core.Data.Store;

/// <summary>
/// What tokenised rows follow from, as a SHA-256: the bytes of the data files and of the tokenizer's files (chat template among them), the settings that
/// shape rows, what the model takes, and the program itself, so that no rows of an older tokeniser outlive it.
/// </summary>
internal static class RowCacheKey
{
    // What lies beside a model and may shape its tokens; over-inclusive, since another file costs no more than tokenising anew.
    private static readonly string[] TokenizerFiles = ["*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt"];

    /// <summary>The key of files.</summary>
    /// <exception cref="InvalidInputException">A file cannot be read.</exception>
    public static byte[] Of(IReadOnlyList<string> files, DataConfig data, ModelLimits limits, string modelFolder, string? ggufPath)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // What does not shape rows must not matter: the files are here by their content.
        var shaping = data with { Train = [], TrainWeights = [], Validation = [], Packing = false, Shuffle = false, GroupByLength = false };
        Add(hash, $"{typeof(RowCacheKey).Module.ModuleVersionId}\n{RowFileHeader.Version}\n{shaping}\n{limits}");
        foreach (var file in TokenizerFiles.SelectMany(pattern => Directory.EnumerateFiles(modelFolder, pattern)).Order(StringComparer.Ordinal))
            AddFile(hash, file, Path.GetFileName(file));
        if (ggufPath is not null) AddTokenizer(hash, ggufPath);
        foreach (var file in files) AddFile(hash, file, Path.GetExtension(file).ToLowerInvariant());
        return hash.GetHashAndReset();
    }

    /// <summary>The tokenizer in a GGUF file; not the weights, which are large and shape no tokens.</summary>
    private static void AddTokenizer(IncrementalHash hash, string path)
    {
        using var file = GgufFile.Open(path);
        foreach (var entry in file.Metadata.Entries.Where(e => e.Key.StartsWith("tokenizer.", StringComparison.Ordinal)).OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            var values = entry.Value is Array array ? array.Cast<object>() : [entry.Value];
            Add(hash, $"\n{entry.Key}\n{string.Join('\n', values.Select(v => Convert.ToString(v, CultureInfo.InvariantCulture)))}");
        }
    }

    private static void AddFile(IncrementalHash hash, string file, string name)
    {
        try
        {
            using var stream = File.OpenRead(file);
            Add(hash, $"\n{name}\n{Convert.ToHexStringLower(SHA256.HashData(stream))}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"the file cannot be read: {e.Message}", file, null, null, e);
        }
    }

    private static void Add(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
}
