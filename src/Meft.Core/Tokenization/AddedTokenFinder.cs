using System.Buffers;
using System.Globalization;
using System.Text;

namespace Meft.Core.Tokenization;

/// <summary>A stretch of a text: an added token, or text between them.</summary>
/// <param name="Range">Where it stands.</param>
/// <param name="TokenId">The added token's id; null for text.</param>
internal readonly record struct TextSegment(Range Range, int? TokenId);

/// <summary>Finds added tokens in a text: from left to right the first that begins, and of those the longest.</summary>
internal sealed class AddedTokenFinder
{
    private sealed class Node
    {
        public Dictionary<char, Node> Children { get; } = [];

        public AddedToken? Token { get; set; }
    }

    private readonly Node _root = new();
    private readonly SearchValues<char> _firstCharacters;

    /// <param name="tokens">The tokens with the spelling that is looked for; none is empty.</param>
    public AddedTokenFinder(IEnumerable<(string Spelling, AddedToken Token)> tokens)
    {
        foreach (var (spelling, token) in tokens)
        {
            var node = _root;
            foreach (var character in spelling)
            {
                if (!node.Children.TryGetValue(character, out var child)) node.Children[character] = child = new Node();
                node = child;
            }
            node.Token ??= token;
        }
        _firstCharacters = SearchValues.Create([.. _root.Children.Keys]);
    }

    /// <summary>Cuts a text into added tokens and what lies between them; no segment of text is empty.</summary>
    public List<TextSegment> Split(string text)
    {
        var segments = new List<TextSegment>();
        var done = 0;
        for (var position = 0; FindNext(text, ref position) is { } token;)
        {
            var (start, end) = (position, position + token.Length);
            position = end;
            if (token.Token.IsSingleWord && !StandsAlone(text, start, end)) continue;
            if (token.Token.StripsLeft) start = Math.Max(done, text.AsSpan(0, start).TrimEnd().Length);
            if (token.Token.StripsRight) end = text.Length - text.AsSpan(end).TrimStart().Length;
            if (done < start) segments.Add(new TextSegment(done..start, null));
            segments.Add(new TextSegment(start..end, token.Token.Id));
            done = end;
        }
        if (done < text.Length) segments.Add(new TextSegment(done..text.Length, null));
        return segments;
    }

    private (AddedToken Token, int Length)? FindNext(string text, ref int position)
    {
        while (position < text.Length)
        {
            var offset = text.AsSpan(position).IndexOfAny(_firstCharacters);
            if (offset < 0) return null;
            position += offset;
            if (LongestAt(text, position) is { } found) return found;
            position++;
        }
        return null;
    }

    private (AddedToken Token, int Length)? LongestAt(string text, int start)
    {
        (AddedToken, int)? longest = null;
        var node = _root;
        for (var i = start; i < text.Length && node.Children.TryGetValue(text[i], out node); i++)
        {
            if (node.Token is not null) longest = (node.Token, i + 1 - start);
        }
        return longest;
    }

    private static bool StandsAlone(string text, int start, int end)
    {
        Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out var before, out _);
        Rune.DecodeFromUtf16(text.AsSpan(end), out var after, out _);
        return (start == 0 || !IsWordCharacter(before)) && (end == text.Length || !IsWordCharacter(after));
    }

    private static bool IsWordCharacter(Rune rune) => Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}
