using System.Buffers;
using System.Text;
using Meft.Core.Tokenization.Normalization;
using Meft.Core.Tokenization.PreTokenization;

namespace Meft.Core.Tokenization;

/// <summary>
/// Finds which token of a text begins where. Between added tokens, a place is followed through the normalizer and the pre-tokenizer by
/// applying both to what lies before it: where that is the beginning of what the whole stretch becomes, its length is the place there. Tokens
/// then spell the characters in order.
/// </summary>
internal sealed class TokenAlignment(AddedTokens addedTokens, INormalizer? normalizer, IPreTokenizer? preTokenizer, ITokenModel model)
{
    /// <summary>The ids, and for each place the first token that begins there or after it; null where that cannot be told.</summary>
    public (int[] Ids, int?[] Tokens) Of(string text, IReadOnlyList<int> places)
    {
        var ids = new List<int>(text.Length / 3 + 2);
        var open = new PlaceList(places);
        Range? stretch = null;
        foreach (var segment in addedTokens.Split(text))
        {
            var (start, end) = (segment.Source.Start.Value, segment.Source.End.Value);
            if (stretch is not { } known || !known.Equals(segment.Source))
            {
                stretch = segment.Source;
                open.Settle(place => place <= start, ids.Count);
            }
            if (segment.Piece.Text.IsEmpty && segment.TokenId is { } added)
            {
                ids.Add(added);
                open.Settle(place => place < end, ids.Count);
                continue;
            }
            var within = open.Where(place => place < end).ToDictionary(place => place, place => Normalized(text, start, place, end));
            open.Settle(place => within.TryGetValue(place, out var at) && at is null, null);
            open.Settle(place => within.TryGetValue(place, out var at) && at <= segment.Within.Start.Value, ids.Count);
            var starts = new List<int?>();
            var first = ids.Count;
            if (segment.TokenId is { } token) ids.Add(token);
            else starts = Encode(segment.Piece, ids);
            foreach (var (place, at) in within)
            {
                if (at is not { } inNormalized || inNormalized >= segment.Within.End.Value) continue;
                var index = segment.TokenId is null ? Find(segment.Piece, inNormalized - segment.Within.Start.Value, starts) : 1;
                open.Settle(other => other == place, first + index);
            }
        }
        open.Settle(_ => true, ids.Count);
        return ([.. ids], open.Tokens);
    }

    private int? Normalized(string text, int start, int place, int end)
    {
        if (normalizer is null) return place - start;
        var before = normalizer.Normalize(text[start..place]);
        return normalizer.Normalize(text[start..end]).StartsWith(before, StringComparison.Ordinal) ? before.Length : null;
    }

    /// <summary>Encodes a piece of text; gives the place of each token in what the pre-tokenizer made of it, null where that is not known.</summary>
    private List<int?> Encode(TextPiece piece, List<int> ids)
    {
        var starts = new List<int?>();
        var at = 0;
        foreach (var word in PreTokenize(piece))
        {
            var first = ids.Count;
            model.Encode(word.Text.Span, ids);
            AddStarts(word.Text.Span, at, ids, first, starts);
            at += word.Text.Length;
        }
        return starts;
    }

    private void AddStarts(ReadOnlySpan<char> word, int offset, List<int> ids, int first, List<int?> starts)
    {
        int? at = 0;
        var bytesLeft = 0;
        for (var i = first; i < ids.Count; i++)
        {
            starts.Add(offset + at);
            if (at is not { } place) continue;
            var spelling = model.Vocabulary.TokenOf(ids[i])!;
            if (bytesLeft == 0 && word[place..].StartsWith(spelling, StringComparison.Ordinal))
            {
                at = place + spelling.Length;
            }
            else if (spelling is ['<', '0', 'x', _, _, '>'] && Rune.DecodeFromUtf16(word[place..], out var rune, out var length) == OperationStatus.Done)
            {
                // A character spelt by the tokens of its bytes.
                bytesLeft = (bytesLeft == 0 ? rune.Utf8SequenceLength : bytesLeft) - 1;
                if (bytesLeft == 0) at = place + length;
            }
            else
            {
                at = null;
            }
        }
    }

    /// <summary>The first token of a piece that begins at a place or after it, counted from the piece's first; null where that is not known.</summary>
    private int? Find(TextPiece piece, int place, List<int?> starts)
    {
        if (place <= 0) return 0;
        var whole = Spelling(piece);
        var before = Spelling(piece with { Text = piece.Text[..place] });
        if (!whole.StartsWith(before, StringComparison.Ordinal)) return null;
        var index = starts.FindIndex(s => s >= before.Length);
        if (index >= 0 && starts[index] == before.Length) return index;
        if (index < 0) index = starts.Count;
        return starts.Take(index).Contains(null) ? null : index;
    }

    private string Spelling(TextPiece piece) => string.Concat(PreTokenize(piece).Select(word => word.Text.ToString()));

    private List<TextPiece> PreTokenize(TextPiece piece)
    {
        if (preTokenizer is null) return [piece];
        var words = new List<TextPiece>();
        preTokenizer.Split(piece, words);
        return words;
    }

    /// <summary>The places whose token is not found yet, and the tokens of the others.</summary>
    private sealed class PlaceList(IReadOnlyList<int> places)
    {
        private readonly bool[] _isSettled = new bool[places.Count];

        public int?[] Tokens { get; } = new int?[places.Count];

        public IEnumerable<int> Where(Func<int, bool> condition) => places.Where((place, i) => !_isSettled[i] && condition(place)).Distinct();

        public void Settle(Func<int, bool> condition, int? token)
        {
            for (var i = 0; i < places.Count; i++)
            {
                if (_isSettled[i] || !condition(places[i])) continue;
                Tokens[i] = token;
                _isSettled[i] = true;
            }
        }
    }
}
