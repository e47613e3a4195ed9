namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>
/// The merges of a vocabulary that states none, but how early each token is made (SentencePiece's scores, tiktoken's ranks): every way to
/// put a token together from two others, in the order in which transformers writes them into tokenizer.json.
/// </summary>
internal static class MergeInference
{
    /// <summary>A token longer than this is taken for damage; all ways to cut it are tried.</summary>
    public const int MaximumLength = 1000;

    /// <summary>Finds the merges.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="made">Ids of the tokens that merges make, the earliest first; of at most <see cref="MaximumLength"/> characters.</param>
    /// <param name="isPart">Whether the token of an id may be a part of another.</param>
    public static List<TokenPair> Find(Vocabulary vocabulary, IEnumerable<int> made, Func<int, bool> isPart)
    {
        var merges = new List<TokenPair>(vocabulary.Size);
        var ways = new List<TokenPair>();
        foreach (var token in made)
        {
            ways.Clear();
            var spelling = vocabulary.TokenOf(token).AsSpan();
            for (var cut = 1; cut < spelling.Length; cut++)
            {
                if (vocabulary.IdOf(spelling[..cut]) is { } left && vocabulary.IdOf(spelling[cut..]) is { } right && isPart(left) && isPart(right))
                    ways.Add(new TokenPair(left, right, token));
            }
            ways.Sort((a, b) => (a.Left, a.Right).CompareTo((b.Left, b.Right)));
            merges.AddRange(ways);
        }
        return merges;
    }
}
