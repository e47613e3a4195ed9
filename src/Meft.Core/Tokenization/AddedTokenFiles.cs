using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization;

/// <summary>
/// The added tokens of a folder without tokenizer.json: <c>added_tokens_decoder</c> of tokenizer_config.json, else the older
/// <c>added_tokens.json</c>; and the special tokens that the config names, where the vocabulary has them.
/// </summary>
internal static class AddedTokenFiles
{
    /// <summary>The older file: ids by content.</summary>
    public const string FileName = "added_tokens.json";

    /// <summary>Reads them; none twice.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="config">Its tokenizer_config.json.</param>
    /// <param name="vocabulary">The model's tokens.</param>
    /// <param name="usual">Special tokens of the tokenizer's class that the config need not name.</param>
    /// <exception cref="TokenizerFileException">A file is damaged.</exception>
    public static List<DeclaredToken> Read(string folder, TokenizerConfig config, Vocabulary vocabulary, IEnumerable<string> usual)
    {
        var named = config.SpecialTokens.Values.Concat(config.AdditionalSpecialTokens).Concat(usual).Distinct().ToList();
        var tokens = config.ReadAddedTokens();
        var older = Path.Combine(folder, FileName);
        if (tokens.Count == 0 && File.Exists(older)) tokens.AddRange(ReadOlder(older, named));
        var known = tokens.Select(t => t.Token.Content).ToHashSet();
        foreach (var content in named)
        {
            if (vocabulary.IdOf(content) is not { } id || !known.Add(content)) continue;
            tokens.Add(new DeclaredToken(Special(id, content), (problem, allowed) => new TokenizerFileException(config.File, $"the id of '{content}' {problem}", allowed)));
        }
        return tokens;
    }

    private static IEnumerable<DeclaredToken> ReadOlder(string file, List<string> special) =>
        JsonField.ReadFile(file).Members().Select(member => new DeclaredToken(
            Special(member.Value.AsInteger(), member.Name) with { IsSpecial = special.Contains(member.Name) }, member.Value.Error));

    private static AddedToken Special(int id, string content) => new(id, content, IsSpecial: true, false, false, false, IsNormalized: false);
}
