using Meft.Core.Chat;

namespace Meft.Loading;

/// <summary>The files of a model's folder that are neither weights nor config: what a model made from it needs beside its own.</summary>
internal static class TokenizerFiles
{
    private static readonly string[] Names =
    [
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
        "generation_config.json", ChatTemplate.FileName,
    ];

    /// <summary>The paths of those that are there.</summary>
    public static IEnumerable<string> In(string folder) => Names.Select(name => Path.Combine(folder, name)).Where(File.Exists);

    /// <summary>Copies those that are there.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in In(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }
}
