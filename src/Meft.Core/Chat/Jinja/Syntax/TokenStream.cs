namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>The tokens of a template with a place in them.</summary>
internal sealed class TokenStream(IReadOnlyList<Token> tokens)
{
    private const int MaximumDepth = 200;

    private int _position;
    private int _depth;

    public Token Current => tokens[_position];

    public Token Following => tokens[Math.Min(_position + 1, tokens.Count - 1)];

    /// <summary>Takes the current token.</summary>
    public Token Next()
    {
        var token = Current;
        if (_position + 1 < tokens.Count) _position++;
        return token;
    }

    public bool SkipName(string name)
    {
        if (!Current.IsName(name)) return false;
        Next();
        return true;
    }

    public bool SkipOperator(string value)
    {
        if (!Current.IsOperator(value)) return false;
        Next();
        return true;
    }

    public void ExpectOperator(string value)
    {
        if (!SkipOperator(value)) throw Unexpected($"'{value}'");
    }

    public string ExpectName() => Current.Kind == TokenKind.Name ? Next().Value : throw Unexpected("a name");

    public void Expect(TokenKind kind)
    {
        if (Current.Kind != kind) throw Unexpected($"'{new Token(kind, "", 0).Description}'");
        Next();
    }

    /// <summary>Parses something that may hold itself, refusing a template nested so deeply that the stack would not suffice.</summary>
    public T Nested<T>(Func<T> parse)
    {
        if (++_depth > MaximumDepth)
            throw new TemplateLimitException($"the template is nested more than {MaximumDepth} levels deep") { Line = Current.Line };
        var result = parse();
        _depth--;
        return result;
    }

    public JinjaException Error(string message) => new(message) { Line = Current.Line };

    private JinjaException Unexpected(string expected) => Error(Current.Kind == TokenKind.End
        ? $"unexpected end of template, expected {expected}"
        : $"expected token {expected}, got '{Current.Description}'");
}
