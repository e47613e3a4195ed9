using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization.ByteLevel;

/// <summary>Reads <c>vocab.json</c> with <c>merges.txt</c>, the form of GPT-2's and Qwen2's tokenizers.</summary>
internal static class VocabularyMergesReader
{
    /// <summary>The file of ids by token.</summary>
    public const string VocabularyFileName = "vocab.json";

    /// <summary>The file of merges, one a line.</summary>
    public const string MergesFileName = "merges.txt";

    private const string EndOfText = "<|endoftext|>";

    /// <summary>Bytes, and special tokens: a vocabulary of more has merged some.</summary>
    private const int ByteLevelSize = 512;

    /// <summary>By <c>tokenizer_class</c>, without a final <c>Fast</c>.</summary>
    private static readonly Dictionary<string, Func<TokenizerConfig, ByteLevelForm>> Forms = new(StringComparer.Ordinal)
    {
        ["GPT2Tokenizer"] = config => ByteLevelForm.Gpt2(config.AddsPrefixSpace ?? false),
        ["Qwen2Tokenizer"] = _ => ByteLevelForm.Qwen2(),
    };

    /// <summary>Models that say GPT-2's class and whose tokenizer.json cuts words as cl100k does: Phi-4 and OLMo 2.</summary>
    private static readonly string[] Cl100kModels = ["phi3", "olmo2"];

    /// <summary>Reads the files of a folder.</summary>
    /// <exception cref="TokenizerFileException">
    /// A file is damaged; or neither tokenizer_config.json nor config.json says which class the tokenizer is of, or names one that is not known.
    /// </exception>
    public static TokenizerParts Read(string folder, TokenizerConfig config)
    {
        var form = FormOf(folder, config)(config);
        var vocabulary = BytePairModelReader.ReadVocabulary(JsonField.ReadFile(Path.Combine(folder, VocabularyFileName)));
        var merges = ReadMerges(Path.Combine(folder, MergesFileName), vocabulary);
        // Both classes end texts with this token where the config names none.
        return ByteLevelTokenizer.Build(form, vocabulary, merges, AddedTokenFiles.Read(folder, config, vocabulary, [EndOfText]), config);
    }

    private static Func<TokenizerConfig, ByteLevelForm> FormOf(string folder, TokenizerConfig config)
    {
        var allowed = string.Join(", ", Forms.Keys.Order(StringComparer.Ordinal));
        var name = config.TokenizerClass ?? throw new TokenizerFileException(
            config.File, $"tokenizer_class is missing: {VocabularyFileName} and {MergesFileName} do not say how a text is split into words", allowed);
        if (TokenizerConfig.WithoutFast(name) == "GPT2Tokenizer" && TokenizerConfig.ModelTypeOf(folder) is { } type && Cl100kModels.Contains(type))
            return _ => ByteLevelForm.Cl100k();
        return Forms.TryGetValue(TokenizerConfig.WithoutFast(name), out var form)
            ? form
            : throw new TokenizerFileException(
                config.File, $"tokenizer_class is '{name}': how it splits a text into words is not known, and {MergesFileName} does not say it",
                $"{allowed}; or a {HuggingFaceTokenizer.FileName}");
    }

    private static List<TokenPair> ReadMerges(string file, Vocabulary vocabulary)
    {
        var merges = new List<TokenPair>();
        var number = 0;
        foreach (var line in TextLines.Read(file))
        {
            number++;
            if (line.Length == 0 || line.StartsWith("#version", StringComparison.Ordinal)) continue;
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || line.IndexOf(' ', space + 1) >= 0) throw Wrong("should be two tokens with a space between", line);
            merges.Add(new TokenPair(IdOf(line[..space]), IdOf(line[(space + 1)..]), IdOf(line.Remove(space, 1))));

            int IdOf(string token) => vocabulary.IdOf(token) ?? throw Wrong("uses a token that is not in the vocabulary", token);
        }
        if (merges.Count == 0 && vocabulary.Size > ByteLevelSize) throw new TokenizerFileException(file, $"there are no merges, and {vocabulary.Size} tokens", "one merge a line");
        return merges;

        TokenizerFileException Wrong(string problem, string text) =>
            new($"{file}, line {number}", $"the merge {problem}: '{(text.Length > 60 ? text[..57] + "..." : text)}'");
    }
}
