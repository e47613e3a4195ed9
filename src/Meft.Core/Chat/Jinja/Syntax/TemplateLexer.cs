namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>
/// Cuts a template into text and the tokens inside of tags, with the white space rules that transformers sets: <c>trim_blocks</c> (the
/// line break after a block tag or comment goes) and <c>lstrip_blocks</c> (so do blanks between the start of a line and such a tag).
/// </summary>
internal sealed class TemplateLexer
{
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _position;
    private int _line = 1;
    private bool _isAtLineStart = true;

    private TemplateLexer(string source) => _source = source;

    /// <summary>The tokens of a template, the last one being <see cref="TokenKind.End"/>.</summary>
    public static List<Token> Tokenize(string template)
    {
        var source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new TemplateLexer(source.EndsWith('\n') ? source[..^1] : source);
        while (lexer._position < lexer._source.Length) lexer.ReadTextAndTag();
        lexer.Add(TokenKind.End, "");
        return lexer._tokens;
    }

    private void ReadTextAndTag()
    {
        var tag = FindTag(_position);
        if (tag < 0)
        {
            Add(TokenKind.Text, _source[_position..]);
            Advance(_source.Length);
            return;
        }
        var kind = _source[tag + 1];
        var sign = SignAt(tag + 2);
        AddText(TrimBefore(_source[_position..tag], sign, strips: kind != '{'));
        Advance(tag);
        if (kind == '#') SkipComment();
        else if (kind == '%' && RawContentStart(tag) is { } content) ReadRaw(content);
        else ReadTag(kind, tag + 2 + (sign == '\0' ? 0 : 1));
    }

    private void ReadTag(char kind, int start)
    {
        var isBlock = kind == '%';
        Add(isBlock ? TokenKind.BlockBegin : TokenKind.VariableBegin, isBlock ? "{%" : "{{");
        Advance(start);
        var openBrackets = 0;
        while (true)
        {
            SkipBlanks();
            if (_position >= _source.Length) return;
            if (openBrackets == 0 && TryReadTagEnd(isBlock)) return;
            var token = ExpressionLexer.Read(_source, _position, _line, _tokens[^1].IsOperator("."), out var end);
            if (token.Kind == TokenKind.Operator)
            {
                if (token.Value is "(" or "[" or "{") openBrackets++;
                else if (token.Value is ")" or "]" or "}" && --openBrackets < 0) throw Error($"unexpected '{token.Value}'");
            }
            _tokens.Add(token);
            Advance(end);
        }
    }

    private bool TryReadTagEnd(bool isBlock)
    {
        var sign = SignAt(_position);
        var end = _position + (sign == '\0' || (sign == '+' && !isBlock) ? 0 : 1);
        if (!StartsWith(isBlock ? "%}" : "}}", end)) return false;
        Add(isBlock ? TokenKind.BlockEnd : TokenKind.VariableEnd, "");
        Advance(EndOfTag(end + 2, sign, trims: isBlock));
        _isAtLineStart = _source[_position - 1] == '\n';
        return true;
    }

    private void SkipComment()
    {
        var end = _source.IndexOf("#}", _position + 2, StringComparison.Ordinal);
        if (end < 0) throw Error("Missing end of comment tag");
        var sign = end > _position + 2 ? SignAt(end - 1) : '\0';
        Advance(EndOfTag(end + 2, sign, trims: true));
        _isAtLineStart = _source[_position - 1] == '\n';
    }

    /// <summary>Where the text after <c>{% raw %}</c> begins, or null if no such tag begins here.</summary>
    private int? RawContentStart(int tag) => MatchKeywordTag(tag, "raw", out _, out var end) ? end : null;

    private void ReadRaw(int content)
    {
        for (var tag = content; (tag = _source.IndexOf("{%", tag, StringComparison.Ordinal)) >= 0; tag += 2)
        {
            if (!MatchKeywordTag(tag, "endraw", out var closingSign, out var end)) continue;
            Advance(content);
            AddText(TrimBefore(_source[content..tag], SignAt(tag + 2), strips: true));
            Advance(closingSign == '-' ? end : EndOfTag(end, closingSign, trims: true));
            _isAtLineStart = _source[_position - 1] == '\n';
            return;
        }
        throw Error("Missing end of raw directive");
    }

    /// <summary>Whether a tag that holds one keyword begins at a place, and where the text after it begins.</summary>
    private bool MatchKeywordTag(int tag, string keyword, out char closingSign, out int end)
    {
        closingSign = '\0';
        end = tag + 2 + (SignAt(tag + 2) == '\0' ? 0 : 1);
        end = SkipWhiteSpace(end);
        if (!StartsWith(keyword, end)) return false;
        end = SkipWhiteSpace(end + keyword.Length);
        closingSign = SignAt(end);
        if (closingSign != '\0') end++;
        if (!StartsWith("%}", end)) return false;
        end += 2;
        if (closingSign == '-') end = SkipWhiteSpace(end);
        return true;
    }

    private string TrimBefore(string text, char sign, bool strips)
    {
        if (sign == '-') return text.TrimEnd();
        if (sign == '+' || !strips) return text;
        var lineStart = text.LastIndexOf('\n') + 1;
        return (lineStart > 0 || _isAtLineStart) && text.AsSpan(lineStart).IsWhiteSpace() ? text[..lineStart] : text;
    }

    /// <summary>The end of a tag with the white space that goes with it.</summary>
    private int EndOfTag(int end, char sign, bool trims)
    {
        if (sign == '-') return SkipWhiteSpace(end);
        return trims && sign != '+' && end < _source.Length && _source[end] == '\n' ? end + 1 : end;
    }

    private int FindTag(int start)
    {
        for (var i = _source.IndexOf('{', start); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '{' or '%' or '#') return i;
        }
        return -1;
    }

    private char SignAt(int position) => position < _source.Length && _source[position] is '-' or '+' ? _source[position] : '\0';

    private bool StartsWith(string text, int position) =>
        position <= _source.Length && _source.AsSpan(position).StartsWith(text, StringComparison.Ordinal);

    private int SkipWhiteSpace(int position)
    {
        while (position < _source.Length && char.IsWhiteSpace(_source[position])) position++;
        return position;
    }

    private void SkipBlanks() => Advance(SkipWhiteSpace(_position));

    private void Advance(int position)
    {
        _line += _source.AsSpan(_position, position - _position).Count('\n');
        _position = position;
    }

    private void AddText(string text)
    {
        if (text.Length > 0) Add(TokenKind.Text, text);
    }

    private void Add(TokenKind kind, string value) => _tokens.Add(new Token(kind, value, _line));

    private JinjaException Error(string message) => new(message) { Line = _line };
}
