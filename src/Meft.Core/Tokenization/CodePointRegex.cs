using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Meft.Core.Tokenization;

/// <summary>
/// A regular expression that sees code points, as tokenizers' expressions do, where .NET's sees UTF-16 units. Before matching, a character
/// outside the basic plane is replaced by one of the basic plane of the same general category, so that <c>\p{L}</c> finds a letter there.
/// </summary>
internal sealed class CodePointRegex
{
    /// <summary>A match of a sane pattern takes far less; a pattern that backtracks without end is stopped.</summary>
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Published patterns have some hundred characters; building one takes time that its length does not bound.</summary>
    private const int MostCharacters = 1 << 13;

    private static readonly char[] StandIns = FindStandIns();

    private readonly Regex _regex;
    private readonly string _file;
    private readonly bool _seesSurrogates;

    private CodePointRegex(Regex regex, string file, bool seesSurrogates)
    {
        _regex = regex;
        _file = file;
        _seesSurrogates = seesSurrogates;
    }

    /// <summary>Matches a text literally.</summary>
    public static CodePointRegex Literal(string text, string file) =>
        new(new Regex(Regex.Escape(text), RegexOptions.CultureInvariant, MatchTimeout), file, seesSurrogates: true);

    /// <summary>Matches a regular expression; <c>^</c> and <c>$</c> match at lines, as in Oniguruma.</summary>
    /// <exception cref="ArgumentException">The expression is not one of .NET.</exception>
    public static CodePointRegex Pattern(string pattern, string file, TimeSpan? matchTimeout = null)
    {
        if (pattern.Length > MostCharacters) throw new ArgumentException($"it has {pattern.Length:N0} characters; at most {MostCharacters:N0} are read");
        if (pattern.Any(char.IsSurrogate)) throw new ArgumentException("a character outside the basic plane stands in it");
        var options = RegexOptions.CultureInvariant | RegexOptions.Multiline | RegexOptions.Compiled;
        return new(new Regex(FoldLongS(pattern), options, matchTimeout ?? MatchTimeout), file, seesSurrogates: false);
    }

    /// <summary>Wraps an expression that is part of the product.</summary>
    public static CodePointRegex BuiltIn(Regex regex) => new(regex, "", seesSurrogates: false);

    /// <summary>The ranges of a text that match, from left to right, in UTF-16 units of the text.</summary>
    public void FindMatches(ReadOnlySpan<char> text, List<Range> matches)
    {
        try
        {
            if (_seesSurrogates || text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0) FindIn(text, [], matches);
            else FindInStandIn(text, matches);
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new TokenizerFileException(_file, $"the pattern '{error.Pattern}' takes too long to match a text", cause: error);
        }
    }

    /// <summary>The text with every match replaced by a literal text.</summary>
    public string Replace(string text, string replacement)
    {
        var matches = new List<Range>();
        FindMatches(text, matches);
        if (matches.Count == 0) return text;
        var result = new StringBuilder(text.Length);
        var done = 0;
        foreach (var match in matches)
        {
            result.Append(text, done, match.Start.Value - done).Append(replacement);
            done = match.End.Value;
        }
        return result.Append(text, done, text.Length - done).ToString();
    }

    private void FindInStandIn(ReadOnlySpan<char> text, List<Range> matches)
    {
        var standIn = new char[text.Length];
        var positions = new int[text.Length + 1];
        var count = 0;
        for (var i = 0; i < text.Length; count++)
        {
            positions[count] = i;
            Rune.DecodeFromUtf16(text[i..], out var rune, out var consumed);
            standIn[count] = rune.IsBmp ? (char)rune.Value : StandIns[(int)Rune.GetUnicodeCategory(rune)];
            i += consumed;
        }
        positions[count] = text.Length;
        FindIn(standIn.AsSpan(0, count), positions, matches);
    }

    private void FindIn(ReadOnlySpan<char> text, ReadOnlySpan<int> positions, List<Range> matches)
    {
        foreach (var match in _regex.EnumerateMatches(text))
        {
            var (start, end) = (match.Index, match.Index + match.Length);
            matches.Add(positions.IsEmpty ? start..end : positions[start]..positions[end]);
        }
    }

    /// <summary>Unicode folds ſ (U+017F) with s where case is ignored, which tokenizers follow and .NET does not.</summary>
    private static string FoldLongS(string pattern) => pattern.Replace("(?i:'s|", "(?i:'[sſ]|", StringComparison.Ordinal);

    private static char[] FindStandIns()
    {
        // Rare scripts from U+A4D0 on are searched first: no known pattern names one of their characters.
        var standIns = new char[Enum.GetValues<UnicodeCategory>().Length];
        for (var i = 0; i < 0x10000; i++)
        {
            var candidate = (char)((0xA4D0 + i) & 0xFFFF);
            ref var standIn = ref standIns[(int)CharUnicodeInfo.GetUnicodeCategory(candidate)];
            if (standIn == '\0' && candidate > '\u02FF') standIn = candidate;
        }
        return standIns;
    }
}
