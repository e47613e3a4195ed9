using System.Globalization;
using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization.ByteLevel;

/// <summary>
/// Reads tiktoken's form of a <c>tokenizer.model</c>: a line a token, its bytes in base64 and its rank, which is its id. The form says
/// neither how a text is split nor which special tokens there are; it is known for Llama 3 alone.
/// </summary>
internal static class TiktokenReader
{
    /// <summary>The ranks of Llama 3's file; special tokens follow.</summary>
    private const int Llama3Ranks = 128_000;

    /// <summary>Reads a file.</summary>
    /// <exception cref="TokenizerFileException">The file is damaged, or it is not known which special tokens belong to it.</exception>
    public static TokenizerParts Read(string file, string folder, TokenizerConfig config)
    {
        var vocabulary = ReadRanks(file);
        var added = AddedTokenFiles.Read(folder, config, vocabulary, []);
        if (added.Count == 0 && vocabulary.Count == Llama3Ranks) added = [.. Llama3SpecialTokens(file)];
        if (!added.Exists(declared => declared.Token.Content == ByteLevelForm.Llama3Begin))
        {
            throw new TokenizerFileException(
                file, $"the file holds {vocabulary.Count} ranks, and no {TokenizerConfig.FileName} beside it has '{ByteLevelForm.Llama3Begin}': it is not known how "
                + "texts are split and which special tokens there are",
                $"Llama 3's file of {Llama3Ranks} ranks; or a {HuggingFaceTokenizer.FileName}");
        }
        // The ids are the ranks: the earlier a token was made, the lower.
        var made = Enumerable.Range(0, vocabulary.Size).Where(id => vocabulary.TokenOf(id)!.Length > 1);
        return ByteLevelTokenizer.Build(ByteLevelForm.Llama3(), vocabulary, MergeInference.Find(vocabulary, made, _ => true), added, config);
    }

    private static Vocabulary ReadRanks(string file)
    {
        var ids = new Dictionary<string, int>();
        var number = 0;
        foreach (var line in TextLines.Read(file))
        {
            number++;
            if (line.Length == 0) continue;
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space <= 0 || !int.TryParse(line.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var rank))
                throw Wrong($"should be base64, a space and a rank, not '{(line.Length > 60 ? line[..57] + "..." : line)}'");
            if (rank != ids.Count) throw Wrong($"has the rank {rank}; {ids.Count} comes next");
            var bytes = new byte[space];
            if (!Convert.TryFromBase64Chars(line.AsSpan(0, space), bytes, out var length) || length is 0 or > MergeInference.MaximumLength)
                throw Wrong($"is not base64 of 1 to {MergeInference.MaximumLength} bytes");
            var token = string.Create(length, bytes, static (text, source) =>
            {
                for (var i = 0; i < text.Length; i++) text[i] = ByteAlphabet.Characters[source[i]];
            });
            if (!ids.TryAdd(token, rank)) throw Wrong($"says the bytes of rank {ids[token]} again");
        }
        if (ids.Count == 0) throw new TokenizerFileException(file, "the file is empty", "lines of base64, a space and a rank; or a SentencePiece model");
        foreach (var character in ByteAlphabet.Characters)
        {
            if (!ids.ContainsKey(character.ToString())) throw new TokenizerFileException(file, $"the byte 0x{ByteAlphabet.Bytes(character.ToString())[0]:X2} has no rank");
        }
        return new Vocabulary(ids);

        TokenizerFileException Wrong(string problem) => new($"{file}, line {number}", $"the line {problem}");
    }

    /// <summary>The 256 special tokens as Llama 3's own code lists them; later ones (3.1 and on) rename some and say so in tokenizer_config.json.</summary>
    private static IEnumerable<DeclaredToken> Llama3SpecialTokens(string file)
    {
        const int Count = 256, Named = 10;
        string[] first =
        [
            ByteLevelForm.Llama3Begin, "<|end_of_text|>", Reserved(0), Reserved(1), Reserved(2), Reserved(3), "<|start_header_id|>", "<|end_header_id|>",
            Reserved(4), "<|eot_id|>",
        ];
        return first.Concat(Enumerable.Range(5, Count - Named).Select(Reserved)).Select((content, i) => new DeclaredToken(
            new AddedToken(Llama3Ranks + i, content, IsSpecial: true, false, false, false, IsNormalized: false),
            (problem, allowed) => new TokenizerFileException(file, $"the id of '{content}' {problem}", allowed)));

        static string Reserved(int number) => $"<|reserved_special_token_{number}|>";
    }
}
