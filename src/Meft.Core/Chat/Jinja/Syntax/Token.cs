namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>What a token is.</summary>
internal enum TokenKind
{
    /// <summary>Text outside of tags.</summary>
    Text,

    /// <summary><c>{{</c></summary>
    VariableBegin,

    /// <summary><c>}}</c></summary>
    VariableEnd,

    /// <summary><c>{%</c></summary>
    BlockBegin,

    /// <summary><c>%}</c></summary>
    BlockEnd,

    /// <summary>A name or keyword.</summary>
    Name,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number with a fraction or exponent.</summary>
    Float,

    /// <summary>A string literal, its escapes resolved.</summary>
    String,

    /// <summary>An operator or bracket.</summary>
    Operator,

    /// <summary>The end of the template.</summary>
    End,
}

/// <summary>A token and the line it begins on.</summary>
internal readonly record struct Token(TokenKind Kind, string Value, int Line)
{
    public bool IsName(string name) => Kind == TokenKind.Name && Value == name;

    public bool IsOperator(string value) => Kind == TokenKind.Operator && Value == value;

    /// <summary>The token as an error message names it.</summary>
    public string Description => Kind switch
    {
        TokenKind.Text => "template data",
        TokenKind.VariableBegin => "begin of print statement",
        TokenKind.VariableEnd => "end of print statement",
        TokenKind.BlockBegin => "begin of statement block",
        TokenKind.BlockEnd => "end of statement block",
        TokenKind.End => "end of template",
        _ => Value,
    };
}
