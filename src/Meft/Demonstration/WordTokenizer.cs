using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Meft.Core.Tokenization;

namespace Meft.Demonstration;

/// <summary>
/// A tokenizer of whole words: a word with the space before it, or any other character, is a token where the vocabulary has it, and is spelt
/// byte by byte where not. Every text comes back exactly. Id 0 begins and ends texts, the next 256 are the bytes, then come the words.
/// </summary>
internal sealed class WordTokenizer : ITokenizer
{
    /// <summary>The spelling of the token between texts.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>Its id.</summary>
    public const int EndOfTextId = 0;

    private const int FirstByteId = 1, FirstWordId = FirstByteId + 256;
    private readonly string[] _words;
    private readonly FrozenDictionary<string, int> _ids;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idsOfSpans;

    private WordTokenizer(string[] words)
    {
        _words = words;
        _ids = words.Select((word, i) => KeyValuePair.Create(word, FirstWordId + i)).ToFrozenDictionary(StringComparer.Ordinal);
        _idsOfSpans = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <inheritdoc/>
    public int VocabularySize => FirstWordId + _words.Length;

    /// <inheritdoc/>
    public IReadOnlyList<int> BeginTokens { get; } = [EndOfTextId];

    /// <inheritdoc/>
    public IReadOnlyList<int> EndTokens => [];

    /// <summary>A tokenizer whose vocabulary is everything that occurs in some texts.</summary>
    public static WordTokenizer Of(IEnumerable<string> texts)
    {
        var words = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            for (var at = 0; at < text.Length;)
            {
                var length = PieceLength(text.AsSpan(at));
                words.Add(text.Substring(at, length));
                at += length;
            }
        }
        return new WordTokenizer([.. words]);
    }

    /// <inheritdoc/>
    public int[] Encode(string text, bool addSpecialTokens)
    {
        var ids = new List<int>(text.Length / 4 + 2);
        if (addSpecialTokens) ids.AddRange(BeginTokens);
        Span<byte> bytes = stackalloc byte[4];
        for (var rest = text.AsSpan(); rest.Length > 0;)
        {
            if (rest.StartsWith(EndOfText))
            {
                ids.Add(EndOfTextId);
                rest = rest[EndOfText.Length..];
                continue;
            }
            var piece = rest[..PieceLength(rest)];
            if (_idsOfSpans.TryGetValue(piece, out var id))
            {
                ids.Add(id);
            }
            else
            {
                foreach (var rune in piece.EnumerateRunes())
                {
                    foreach (var value in bytes[..rune.EncodeToUtf8(bytes)]) ids.Add(FirstByteId + value);
                }
            }
            rest = rest[piece.Length..];
        }
        return [.. ids];
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        var decoder = CreateStreamingDecoder(skipSpecialTokens);
        var text = new StringBuilder();
        foreach (var id in ids) text.Append(decoder.Append(id));
        return text.Append(decoder.Complete()).ToString();
    }

    /// <inheritdoc/>
    public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens) => new WordDecoder(this, skipSpecialTokens);

    /// <inheritdoc/>
    public string Piece(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, VocabularySize);
        return id switch
        {
            EndOfTextId => EndOfText,
            < FirstWordId => $"<0x{id - FirstByteId:X2}>",
            _ => _words[id - FirstWordId],
        };
    }

    /// <inheritdoc/>
    public bool IsSpecial(int id) => id == EndOfTextId;

    /// <inheritdoc/>
    public int? IdOf(string piece)
    {
        if (piece == EndOfText) return EndOfTextId;
        if (_ids.TryGetValue(piece, out var id)) return id;
        return piece is ['<', '0', 'x', var high, var low, '>']
            && byte.TryParse([high, low], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? FirstByteId + value
            : null;
    }

    /// <summary>Letters with at most one space before them, or else one character.</summary>
    private static int PieceLength(ReadOnlySpan<char> text)
    {
        var first = text[0] == ' ' ? 1 : 0;
        var end = first;
        while (end < text.Length && char.IsAsciiLetter(text[end])) end++;
        if (end > first) return end;
        return text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;
    }

    private sealed class WordDecoder(WordTokenizer tokenizer, bool skipSpecialTokens) : StreamingDecoder
    {
        private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

        public override string Append(int id)
        {
            if (id is >= FirstByteId and < FirstWordId) return Take([(byte)(id - FirstByteId)], flush: false);
            if (id < 0 || id >= tokenizer.VocabularySize || (skipSpecialTokens && tokenizer.IsSpecial(id))) return "";
            return Complete() + tokenizer.Piece(id);
        }

        public override string Complete() => Take([], flush: true);

        private string Take(ReadOnlySpan<byte> bytes, bool flush)
        {
            Span<char> text = stackalloc char[4];
            return new string(text[.._utf8.GetChars(bytes, text, flush)]);
        }
    }
}
