namespace Meft.Core.Chat.Jinja.Syntax;

/// <summary>Parses expressions by recursive descent, a method a level of precedence, the loosest first.</summary>
internal sealed partial class ExpressionParser(TokenStream tokens)
{
    private static readonly string[] ComparisonOperators = ["==", "!=", "<", "<=", ">", ">="];

    public Expression Parse() => tokens.Nested(ParseConditional);

    /// <summary>
    /// Parses an expression without the form <c>a if b</c>, as the items of a loop are (an <c>if</c> there filters them).
    /// </summary>
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
}
