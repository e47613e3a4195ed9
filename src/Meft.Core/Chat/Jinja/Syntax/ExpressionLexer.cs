using System.Globalization;
using System.Text;

namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>Reads one token inside of a tag.</summary>
internal static class ExpressionLexer
{
    /// <summary>Longer ones first, so that <c>//</c> is not read as two divisions.</summary>
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=",
        "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",",
    ];

    /// <param name="source">The template.</param>
    /// <param name="start">Where the token begins.</param>
    /// <param name="line">The line it begins on.</param>
    /// <param name="followsDot">Whether a dot stands before it: then digits are a member's number, not the start of a fraction.</param>
    /// <param name="end">Where it ends.</param>
    public static Token Read(string source, int start, int line, bool followsDot, out int end)
    {
        var first = source[start];
        if (first is '\'' or '"') return new Token(TokenKind.String, ReadString(source, start, line, out end), line);
        if (char.IsAsciiDigit(first)) return ReadNumber(source, start, line, followsDot, out end);
        if (IsNamePart(first))
        {
            for (end = start; end < source.Length && IsNamePart(source[end]);) end++;
            return new Token(TokenKind.Name, source[start..end], line);
        }
        foreach (var symbol in Operators)
        {
            end = start + symbol.Length;
            if (source.AsSpan(start).StartsWith(symbol, StringComparison.Ordinal)) return new Token(TokenKind.Operator, symbol, line);
        }
        throw new JinjaException($"unexpected char '{first}' at {start}") { Line = line };
    }

    private static bool IsNamePart(char character) => character == '_' || char.IsLetterOrDigit(character);

    private static Token ReadNumber(string source, int start, int line, bool followsDot, out int end)
    {
        end = SkipDigits(source, start);
        var isFloat = false;
        if (!followsDot && end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]))
        {
            end = SkipDigits(source, end + 1);
            isFloat = true;
        }
        if (!followsDot && end < source.Length && source[end] is 'e' or 'E')
        {
            var exponent = end + 1 < source.Length && source[end + 1] is '+' or '-' ? end + 2 : end + 1;
            if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
            {
                end = SkipDigits(source, exponent);
                isFloat = true;
            }
        }
        var digits = source[start..end].Replace("_", "", StringComparison.Ordinal);
        return new Token(isFloat ? TokenKind.Float : TokenKind.Integer, digits, line);
    }

    private static int SkipDigits(string source, int position)
    {
        while (position < source.Length && (char.IsAsciiDigit(source[position]) || source[position] == '_')) position++;
        return position;
    }

    private static string ReadString(string source, int start, int line, out int end)
    {
        var text = new StringBuilder();
        for (end = start + 1; end < source.Length; end++)
        {
            if (source[end] == source[start])
            {
                end++;
                return text.ToString();
            }
            if (source[end] == '\\' && end + 1 < source.Length) end = ReadEscape(source, end + 1, text);
            else text.Append(source[end]);
        }
        throw new JinjaException("a string literal does not end") { Line = line };
    }

    /// <summary>Reads what follows a backslash, as Python reads it; returns the place of its last character.</summary>
    private static int ReadEscape(string source, int position, StringBuilder text)
    {
        var escaped = source[position];
        switch (escaped)
        {
            case '\n': return position;
            case 'x': return ReadCodePoint(source, position, 2, text);
            case 'u': return ReadCodePoint(source, position, 4, text);
            case 'U': return ReadCodePoint(source, position, 8, text);
        }
        const string Names = "\\'\"abfnrtv";
        const string Characters = "\\'\"\a\b\f\n\r\t\v";
        var index = Names.IndexOf(escaped, StringComparison.Ordinal);
        if (index >= 0) text.Append(Characters[index]);
        else if (escaped is >= '0' and <= '7') return ReadOctal(source, position, text);
        else text.Append('\\').Append(escaped);
        return position;
    }

    private static int ReadCodePoint(string source, int position, int digits, StringBuilder text)
    {
        var isGiven = position + digits < source.Length
            & int.TryParse(source.AsSpan(Math.Min(position + 1, source.Length), Math.Min(digits, source.Length - position - 1)),
                NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var codePoint);
        if (!isGiven || codePoint is < 0 or > 0x10FFFF)
            throw new JinjaException($"a string literal holds a truncated \\{source[position]} escape");
        if (codePoint < 0x10000) text.Append((char)codePoint);
        else text.Append(char.ConvertFromUtf32(codePoint));
        return position + digits;
    }

    private static int ReadOctal(string source, int position, StringBuilder text)
    {
        var value = 0;
        var end = position;
        for (; end < source.Length && end < position + 3 && source[end] is >= '0' and <= '7'; end++) value = value * 8 + source[end] - '0';
        text.Append((char)value);
        return end - 1;
    }
}
