using System.Globalization;
using System.Text;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>Parses expressions by recursive descent, a method a level of precedence, the loosest first.</summary>
internal sealed class ExpressionParser(TokenStream tokens)
{
    private static readonly string[] ComparisonOperators = ["==", "!=", "<", "<=", ">", ">="];

    public Expression Parse() => tokens.Nested(ParseConditional);

    /// <summary>Parses an expression without the form <c>a if b</c>, as the items of a loop are (an <c>if</c> there filters them).</summary>
    public Expression ParseWithoutConditional() => tokens.Nested(ParseOr);

    /// <summary>Parses expressions with commas between them as a tuple; one without a comma is itself.</summary>
    public Expression ParseTuple(Func<Expression> parseItem)
    {
        var first = parseItem();
        if (!tokens.Current.IsOperator(",")) return first;
        List<Expression> items = [first];
        while (tokens.SkipOperator(",") && !IsTupleEnd()) items.Add(parseItem());
        return new ListExpression(items, IsTuple: true);
    }

    public Arguments ParseArguments()
    {
        tokens.ExpectOperator("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? spread = null, namedSpread = null;
        while (!tokens.Current.IsOperator(")"))
        {
            if (tokens.SkipOperator("**")) namedSpread = Parse();
            else if (tokens.SkipOperator("*")) spread = Parse();
            else if (tokens.Current.Kind == TokenKind.Name && tokens.Following.IsOperator("=")) named.Add((ParseArgumentName(), Parse()));
            else if (named.Count == 0 && spread is null && namedSpread is null) positional.Add(Parse());
            else throw tokens.Error("invalid syntax for function call expression");
            if (!tokens.SkipOperator(",")) break;
        }
        tokens.ExpectOperator(")");
        return new Arguments(positional, named, spread, namedSpread);
    }

    public FilterStep ParseFilterStep() =>
        new(ParseDottedName(), tokens.Current.IsOperator("(") ? ParseArguments() : Arguments.None);

    private string ParseArgumentName()
    {
        var name = tokens.Next().Value;
        tokens.Next();
        return name;
    }

    private bool IsTupleEnd() =>
        tokens.Current.Kind is TokenKind.BlockEnd or TokenKind.VariableEnd || tokens.Current.IsOperator(")") || tokens.Current.IsName("in");

    private Expression ParseConditional()
    {
        var expression = ParseOr();
        while (tokens.SkipName("if"))
        {
            var condition = ParseOr();
            var otherwise = tokens.SkipName("else") ? Parse() : null;
            expression = new Conditional(condition, expression, otherwise);
        }
        return expression;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (tokens.SkipName("or")) left = new Logical(IsAnd: false, left, ParseAnd());
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (tokens.SkipName("and")) left = new Logical(IsAnd: true, left, ParseNot());
        return left;
    }

    private Expression ParseNot() => tokens.SkipName("not") ? new Negation(tokens.Nested(ParseNot)) : ParseComparison();

    private Expression ParseComparison()
    {
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (TryReadComparison() is { } comparison) rest.Add((comparison, ParseSum()));
        return rest.Count == 0 ? first : new Comparison(first, rest);
    }

    private string? TryReadComparison()
    {
        if (tokens.Current.Kind == TokenKind.Operator && ComparisonOperators.Contains(tokens.Current.Value)) return tokens.Next().Value;
        if (tokens.SkipName("in")) return "in";
        if (!tokens.Current.IsName("not") || !tokens.Following.IsName("in")) return null;
        tokens.Next();
        tokens.Next();
        return "not in";
    }

    private Expression ParseSum() => ParseArithmetic(ParseConcatenation, "+", "-");

    private Expression ParseConcatenation()
    {
        List<Expression> parts = [ParseProduct()];
        while (tokens.SkipOperator("~")) parts.Add(ParseProduct());
        return parts.Count == 1 ? parts[0] : new Concatenation(parts);
    }

    private Expression ParseProduct() => ParseArithmetic(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => ParseArithmetic(() => ParseUnary(withFilters: true), "**");

    private Expression ParseArithmetic(Func<Expression> parseOperand, params ReadOnlySpan<string> operators)
    {
        var left = parseOperand();
        while (tokens.Current.Kind == TokenKind.Operator && operators.Contains(tokens.Current.Value))
            left = new Arithmetic(tokens.Next().Value, left, parseOperand());
        return left;
    }

    private Expression ParseUnary(bool withFilters)
    {
        Expression expression;
        if (tokens.Current.IsOperator("-") || tokens.Current.IsOperator("+"))
            expression = new Sign(tokens.Next().Value == "-", tokens.Nested(() => ParseUnary(withFilters: false)));
        else
            expression = ParsePrimary();
        expression = ParsePostfix(expression);
        return withFilters ? ParseFiltersAndTests(expression) : expression;
    }

    private Expression ParsePrimary()
    {
        var token = tokens.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                tokens.Next();
                return token.Value switch
                {
                    "true" or "True" => new Literal(BooleanValue.True),
                    "false" or "False" => new Literal(BooleanValue.False),
                    "none" or "None" => new Literal(NoneValue.Instance),
                    _ => new Variable(token.Value),
                };
            case TokenKind.String:
                var text = new StringBuilder();
                while (tokens.Current.Kind == TokenKind.String) text.Append(tokens.Next().Value);
                return new Literal(new TextValue(text.ToString()));
            case TokenKind.Integer:
                tokens.Next();
                return new Literal(long.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var integer)
                    ? new IntegerValue(integer)
                    : throw tokens.Error($"the number {token.Value} is too large"));
            case TokenKind.Float:
                tokens.Next();
                return new Literal(new FloatValue(double.Parse(token.Value, CultureInfo.InvariantCulture)));
            case TokenKind.Operator when token.Value == "(": return ParseParentheses();
            case TokenKind.Operator when token.Value == "[": return ParseList();
            case TokenKind.Operator when token.Value == "{": return ParseMap();
            case TokenKind.BlockEnd or TokenKind.VariableEnd:
                throw tokens.Error($"Expected an expression, got '{token.Description}'");
            default: throw tokens.Error($"unexpected '{token.Description}'");
        }
    }

    private Expression ParseParentheses()
    {
        tokens.Next();
        if (tokens.SkipOperator(")")) return new ListExpression([], IsTuple: true);
        var expression = ParseTuple(Parse);
        tokens.ExpectOperator(")");
        return expression;
    }

    private ListExpression ParseList()
    {
        tokens.Next();
        var items = new List<Expression>();
        while (!tokens.Current.IsOperator("]"))
        {
            items.Add(Parse());
            if (!tokens.SkipOperator(",")) break;
        }
        tokens.ExpectOperator("]");
        return new ListExpression(items, IsTuple: false);
    }

    private MapExpression ParseMap()
    {
        tokens.Next();
        var members = new List<(Expression, Expression)>();
        while (!tokens.Current.IsOperator("}"))
        {
            var key = Parse();
            tokens.ExpectOperator(":");
            members.Add((key, Parse()));
            if (!tokens.SkipOperator(",")) break;
        }
        tokens.ExpectOperator("}");
        return new MapExpression(members);
    }

    private Expression ParsePostfix(Expression target)
    {
        while (true)
        {
            if (tokens.SkipOperator(".")) target = ParseMember(target);
            else if (tokens.SkipOperator("[")) target = ParseSubscript(target);
            else if (tokens.Current.IsOperator("(")) target = new Call(target, ParseArguments());
            else return target;
        }
    }

    private Expression ParseMember(Expression target)
    {
        if (tokens.Current.Kind == TokenKind.Integer) return new Subscript(target, ParsePrimary());
        return tokens.Current.Kind == TokenKind.Name ? new Attribute(target, tokens.Next().Value) : throw tokens.Error("expected name or number");
    }

    private Expression ParseSubscript(Expression target)
    {
        var start = tokens.Current.IsOperator(":") ? null : ParseTuple(Parse);
        Expression result;
        if (tokens.SkipOperator(":"))
        {
            var stop = tokens.Current.IsOperator(":") || tokens.Current.IsOperator("]") ? null : Parse();
            var step = tokens.SkipOperator(":") && !tokens.Current.IsOperator("]") ? Parse() : null;
            result = new Slice(target, start, stop, step);
        }
        else
        {
            result = new Subscript(target, start!);
        }
        tokens.ExpectOperator("]");
        return result;
    }

    private Expression ParseFiltersAndTests(Expression input)
    {
        while (true)
        {
            if (tokens.SkipOperator("|"))
            {
                var step = ParseFilterStep();
                input = new Filter(input, step.Name, step.Arguments);
            }
            else if (tokens.SkipName("is")) input = ParseTest(input);
            else if (tokens.Current.IsOperator("(")) input = new Call(input, ParseArguments());
            else return input;
        }
    }

    private Expression ParseTest(Expression input)
    {
        var isNegated = tokens.SkipName("not");
        var name = ParseDottedName();
        var test = new Test(input, name, ParseTestArguments());
        return isNegated ? new Negation(test) : test;
    }

    /// <summary>A test's arguments: in parentheses, or one operand without them (<c>x is divisibleby 3</c>).</summary>
    private Arguments ParseTestArguments()
    {
        if (tokens.Current.IsOperator("(")) return ParseArguments();
        var takesOperand = tokens.Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
            || tokens.Current.IsOperator("[") || tokens.Current.IsOperator("{")
            || (tokens.Current.Kind == TokenKind.Name && tokens.Current.Value is not ("else" or "or" or "and" or "if" or "is" or "in" or "not"));
        return takesOperand ? new Arguments([ParsePostfix(ParsePrimary())], []) : Arguments.None;
    }

    private string ParseDottedName()
    {
        var name = tokens.ExpectName();
        while (tokens.SkipOperator(".")) name += "." + tokens.ExpectName();
        return name;
    }
}
