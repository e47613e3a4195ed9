using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>An expression.</summary>
internal abstract record Expression;

/// <summary>A constant.</summary>
internal sealed record Literal(Value Value) : Expression;

/// <summary>A variable.</summary>
internal sealed record Variable(string Name) : Expression;

/// <summary><c>[a, b]</c>, or <c>(a, b)</c> as a tuple.</summary>
internal sealed record ListExpression(IReadOnlyList<Expression> Items, bool IsTuple) : Expression;

/// <summary><c>{key: value}</c></summary>
internal sealed record MapExpression(IReadOnlyList<(Expression Key, Expression Value)> Members) : Expression;

/// <summary><c>not a</c></summary>
internal sealed record Negation(Expression Operand) : Expression;

/// <summary><c>-a</c> or <c>+a</c></summary>
internal sealed record Sign(bool IsMinus, Expression Operand) : Expression;

/// <summary><c>a and b</c> or <c>a or b</c>: one of the two values, the second evaluated only where needed.</summary>
internal sealed record Logical(bool IsAnd, Expression Left, Expression Right) : Expression;

/// <summary>An operator of arithmetic: <c>+ - * / // % **</c>.</summary>
internal sealed record Arithmetic(string Operator, Expression Left, Expression Right) : Expression;

/// <summary><c>a ~ b</c>: both as text.</summary>
internal sealed record Concatenation(IReadOnlyList<Expression> Parts) : Expression;

/// <summary>A chain of comparisons, <c>a &lt; b &lt;= c</c>; also <c>in</c> and <c>not in</c>.</summary>
internal sealed record Comparison(Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest) : Expression;

/// <summary><c>a if condition else b</c></summary>
internal sealed record Conditional(Expression Condition, Expression Then, Expression? Else) : Expression;

/// <summary><c>a.name</c></summary>
internal sealed record Attribute(Expression Target, string Name) : Expression;

/// <summary><c>a[key]</c></summary>
internal sealed record Subscript(Expression Target, Expression Key) : Expression;

/// <summary><c>a[start:stop:step]</c></summary>
internal sealed record Slice(Expression Target, Expression? Start, Expression? Stop, Expression? Step) : Expression;

/// <summary>Arguments of a call.</summary>
/// <param name="Positional">In order.</param>
/// <param name="Named">By name.</param>
/// <param name="Spread">The list after <c>*</c>.</param>
/// <param name="NamedSpread">The mapping after <c>**</c>.</param>
internal sealed record Arguments(
    IReadOnlyList<Expression> Positional,
    IReadOnlyList<(string Name, Expression Value)> Named,
    Expression? Spread = null,
    Expression? NamedSpread = null)
{
    public static Arguments None { get; } = new([], []);
}

/// <summary><c>a(arguments)</c></summary>
internal sealed record Call(Expression Target, Arguments Arguments) : Expression;

/// <summary><c>a | name(arguments)</c>; without input inside of a filter block.</summary>
internal sealed record Filter(Expression Input, string Name, Arguments Arguments) : Expression;

/// <summary><c>a is name(arguments)</c></summary>
internal sealed record Test(Expression Input, string Name, Arguments Arguments) : Expression;
