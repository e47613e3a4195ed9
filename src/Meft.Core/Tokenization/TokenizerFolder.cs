using Meft.Core.Tokenization.ByteLevel;
using Meft.Core.Tokenization.Gguf;
using Meft.Core.Tokenization.Reading;
using Meft.Core.Tokenization.SentencePiece;

namespace Meft.Core.Tokenization;

/// <summary>
/// Reads the tokenizer of a folder from the first of these that is there: <c>tokenizer.json</c>; <c>tokenizer.model</c>, SentencePiece's or
/// tiktoken's; <c>vocab.json</c> with <c>merges.txt</c>. A .gguf file has a tokenizer of its own.
/// </summary>
public static class TokenizerFolder
{
    /// <summary>The name of SentencePiece's file, and of tiktoken's for Llama 3.</summary>
    public const string ModelFileName = "tokenizer.model";

    /// <summary>Classes of tokenizers whose SentencePiece model is all there is to know; the last ones say nothing.</summary>
    private static readonly string[] SentencePieceClasses =
        ["CodeLlamaTokenizer", "GemmaTokenizer", "LlamaTokenizer", "PreTrainedTokenizer", "TokenizersBackend"];

    /// <summary>Whether a folder, or a .gguf file, holds a tokenizer in one of the forms.</summary>
    /// <exception cref="Formats.Gguf.GgufException">The .gguf file is malformed.</exception>
    public static bool HasTokenizer(string folder) => GgufTokenizerReader.IsGguf(folder) ? GgufTokenizerReader.HasTokenizer(folder) : FirstOf(folder) is not null;

    /// <summary>The file that a tokenizer is read from, of several the first.</summary>
    /// <param name="path">A folder that holds one, or a .gguf file.</param>
    public static string FileOf(string path) => FirstOf(path) is { } name ? Path.Combine(path, name) : path;

    /// <summary>
    /// The form of a tokenizer's files: <c>tokenizer.json</c>, <c>SentencePiece</c>, <c>tiktoken</c>, <c>vocab.json + merges.txt</c>, <c>GGUF metadata</c>.
    /// </summary>
    /// <param name="path">A folder that holds a tokenizer, or a .gguf file.</param>
    /// <exception cref="TokenizerFileException">The file cannot be read.</exception>
    public static string FormOf(string path)
    {
        if (GgufTokenizerReader.IsGguf(path)) return "GGUF metadata";
        var file = FileOf(path);
        return Path.GetFileName(file) switch
        {
            HuggingFaceTokenizer.FileName => HuggingFaceTokenizer.FileName,
            ModelFileName => IsTiktoken(ReadBytes(file)) ? "tiktoken" : "SentencePiece",
            _ => $"{VocabularyMergesReader.VocabularyFileName} + {VocabularyMergesReader.MergesFileName}",
        };
    }

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="path">A folder, a tokenizer.json, or a .gguf file.</param>
    internal static TokenizerParts Read(string path)
    {
        if (GgufTokenizerReader.IsGguf(path)) return GgufTokenizerReader.Read(path);
        if (!Directory.Exists(path)) return ReadJson(path, Path.GetDirectoryName(path)!);
        return FirstOf(path) switch
        {
            ModelFileName => ReadModel(path, TokenizerConfig.Load(path)),
            VocabularyMergesReader.VocabularyFileName => VocabularyMergesReader.Read(path, TokenizerConfig.Load(path)),
            _ => ReadJson(Path.Combine(path, HuggingFaceTokenizer.FileName), path),
        };
    }

    /// <summary>The name of the file that a folder's tokenizer is read from; null where it has none.</summary>
    private static string? FirstOf(string folder) =>
        Has(folder, HuggingFaceTokenizer.FileName) ? HuggingFaceTokenizer.FileName
        : Has(folder, ModelFileName) ? ModelFileName
        : Has(folder, VocabularyMergesReader.VocabularyFileName) && Has(folder, VocabularyMergesReader.MergesFileName) ? VocabularyMergesReader.VocabularyFileName
        : null;

    private static TokenizerParts ReadJson(string file, string folder) => File.Exists(file)
        ? TokenizerJsonReader.Read(file, TokenizerConfig.Load(folder))
        : throw new TokenizerFileException(
            file, "there is no such file", $"{HuggingFaceTokenizer.FileName}, {ModelFileName}, or {VocabularyMergesReader.VocabularyFileName} with {VocabularyMergesReader.MergesFileName}");

    private static TokenizerParts ReadModel(string folder, TokenizerConfig config)
    {
        var file = Path.Combine(folder, ModelFileName);
        var bytes = ReadBytes(file);
        if (IsTiktoken(bytes)) return TiktokenReader.Read(file, folder, config);
        if (config.TokenizerClass is { } name && !SentencePieceClasses.Contains(TokenizerConfig.WithoutFast(name)))
        {
            throw new TokenizerFileException(
                config.File, $"tokenizer_class is '{name}': what it does beside {ModelFileName} is not known",
                $"{string.Join(", ", SentencePieceClasses)}; or a {HuggingFaceTokenizer.FileName}");
        }
        var model = SentencePieceFile.Read(file, bytes);
        var vocabulary = SentencePieceTokenizer.VocabularyOf(model);
        return SentencePieceTokenizer.Build(model, config, vocabulary, AddedTokenFiles.Read(folder, config, vocabulary, []));
    }

    private static bool IsTiktoken(byte[] bytes) => bytes is [] or [not SentencePieceFile.FirstByte, ..];

    private static byte[] ReadBytes(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerFileException(file, $"cannot be read: {error.Message}", cause: error);
        }
    }

    private static bool Has(string folder, string file) => File.Exists(Path.Combine(folder, file));
}
