using System.Text;
using Meft.Core.Tokenization.BytePairEncoding;

namespace Meft.Core.Tokenization.Unigram;

/// <summary>
/// The unigram language model of SentencePiece (Kudo 2018, arXiv 1804.10959): of all ways to cut a text into pieces the one whose scores
/// (logarithms of probabilities) have the largest sum, found by Viterbi's algorithm in O(length · longest piece). Sums are of float32, as
/// SentencePiece's are.
/// </summary>
internal sealed class UnigramModel : ITokenModel
{
    /// <summary>How much less likely than the least likely piece an unknown character is; SentencePiece's constant.</summary>
    private const float UnknownPenalty = 10;

    private readonly PieceTable _table;
    private readonly float[] _scores;
    private readonly int?[]? _byteTokens;
    private readonly int _unknownToken;
    private readonly float _unknownScore;

    /// <param name="vocabulary">All tokens; their ids have no gaps.</param>
    /// <param name="scores">Each token's score, by id; finite.</param>
    /// <param name="isPiece">Whether the token of an id stands for text.</param>
    /// <param name="fallsBackToBytes">Whether an unknown character is spelt by the tokens of its bytes.</param>
    /// <param name="unknownToken">The token of unknown characters; neighbours give one together.</param>
    public UnigramModel(Vocabulary vocabulary, float[] scores, Func<int, bool> isPiece, bool fallsBackToBytes, int unknownToken)
    {
        Vocabulary = vocabulary;
        _scores = scores;
        var pieces = Enumerable.Range(0, vocabulary.Size).Where(isPiece).ToList();
        _table = new PieceTable(pieces.Select(id => (vocabulary.TokenOf(id)!, id)));
        _byteTokens = fallsBackToBytes ? BytePairOptions.ByteTokens(vocabulary) : null;
        _unknownToken = unknownToken;
        _unknownScore = pieces.Select(id => scores[id]).DefaultIfEmpty(0).Min() - UnknownPenalty;
    }

    /// <inheritdoc/>
    public Vocabulary Vocabulary { get; }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<char> piece, List<int> output)
    {
        var path = BestPath(piece);
        Span<byte> bytes = stackalloc byte[4];
        var unknownIsPending = false;
        for (var i = path.Count - 1; i >= 0; i--)
        {
            var (start, token) = path[i];
            if (token is null)
            {
                Rune.DecodeFromUtf16(piece[start..], out var rune, out _);
                unknownIsPending |= !TryAddBytes(bytes[..rune.EncodeToUtf8(bytes)], output);
                continue;
            }
            if (unknownIsPending) output.Add(_unknownToken);
            unknownIsPending = false;
            output.Add(token.Value);
        }
        if (unknownIsPending) output.Add(_unknownToken);
    }

    /// <summary>The pieces of the best path, the last first: where each begins, and its token; null for an unknown character.</summary>
    private List<(int Start, int? Token)> BestPath(ReadOnlySpan<char> text)
    {
        var best = new (float Score, int Start, int? Token)[text.Length + 1];
        var isReached = new bool[text.Length + 1];
        isReached[0] = true;
        var found = new List<(int Length, int Id)>();
        for (var start = 0; start < text.Length;)
        {
            Rune.DecodeFromUtf16(text[start..], out _, out var length);
            found.Clear();
            _table.FindPrefixes(text[start..], found);
            foreach (var (size, id) in found) Consider(start, start + size, id, _scores[id]);
            if (!found.Exists(f => f.Length == length)) Consider(start, start + length, null, _unknownScore);
            start += length;
        }
        var path = new List<(int, int?)>();
        for (var end = text.Length; end > 0; end = best[end].Start) path.Add((best[end].Start, best[end].Token));
        return path;

        void Consider(int start, int end, int? token, float score)
        {
            var sum = best[start].Score + score;
            if (isReached[end] && sum <= best[end].Score) return;
            best[end] = (sum, start, token);
            isReached[end] = true;
        }
    }

    private bool TryAddBytes(ReadOnlySpan<byte> bytes, List<int> output)
    {
        if (_byteTokens is null) return false;
        foreach (var value in bytes)
        {
            if (_byteTokens[value] is null) return false;
        }
        foreach (var value in bytes) output.Add(_byteTokens[value]!.Value);
        return true;
    }
}
