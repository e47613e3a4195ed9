namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>Two neighbouring tokens that merge.</summary>
/// <param name="Left">The left token's id.</param>
/// <param name="Right">The right token's id.</param>
/// <param name="Token">The id of what they merge into.</param>
internal readonly record struct TokenPair(int Left, int Right, int Token);

/// <summary>The options of a model of byte pair encoding.</summary>
internal sealed record BytePairOptions
{
    /// <summary>The token of a character that has none; null: such characters are left out.</summary>
    public int? UnknownToken { get; init; }

    /// <summary>Whether neighbouring unknown characters give one token together.</summary>
    public bool FusesUnknown { get; init; }

    /// <summary>Whether a character without a token is spelt by the tokens of its bytes, <c>&lt;0x00&gt;</c> and so on.</summary>
    public bool FallsBackToBytes { get; init; }

    /// <summary>Whether a word that is a token is that token, whatever the merges would give.</summary>
    public bool IgnoresMerges { get; init; }

    /// <summary>Makes the model.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="merges">The merges, the earliest first.</param>
    public BytePairModel Build(Vocabulary vocabulary, IReadOnlyList<TokenPair> merges)
    {
        var byteTokens = FallsBackToBytes ? ByteTokens(vocabulary) : null;
        var table = new MergeTable(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++) table.Set(merges[rank].Left, merges[rank].Right, new Merge(rank, merges[rank].Token));
        var boundaries = IgnoresMerges ? null : FindBoundaries(merges, vocabulary, byteTokens);
        return new BytePairModel(new SymbolReader(vocabulary, byteTokens, UnknownToken, FusesUnknown), table, boundaries, IgnoresMerges);
    }

    /// <summary>The tokens of the 256 bytes; null for one that the vocabulary lacks.</summary>
    public static int?[] ByteTokens(Vocabulary vocabulary) =>
        [.. Enumerable.Range(0, 256).Select(value => vocabulary.IdOf($"<0x{value:X2}>"))];

    /// <summary>
    /// Boundaries compare a token's spelling with the text, so they hold only where every token spells the text it stands for: not where
    /// bytes' tokens or the unknown token may merge, nor where unknown characters beside each other may fuse.
    /// </summary>
    private MergeBoundaries? FindBoundaries(IReadOnlyList<TokenPair> merges, Vocabulary vocabulary, int?[]? byteTokens)
    {
        var hasAllBytes = byteTokens is not null && byteTokens.All(token => token is not null);
        if (!hasAllBytes && UnknownToken is not null) return null;
        var substitutes = byteTokens?.OfType<int>().ToHashSet() ?? [];
        var boundaries = new MergeBoundaries();
        foreach (var merge in merges)
        {
            if (substitutes.Contains(merge.Left) || substitutes.Contains(merge.Right)) return null;
            boundaries.Add(vocabulary.TokenOf(merge.Token)!);
        }
        return boundaries;
    }
}
