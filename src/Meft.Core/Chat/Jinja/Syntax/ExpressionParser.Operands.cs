using System.Globalization;
using System.Text;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Syntax;

/// <content>Operands: literals, names, brackets, and what may follow them (members, calls, filters, tests).</content>
internal sealed partial class ExpressionParser
{
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
        return tokens.Current.Kind == TokenKind.Name
            ? new Attribute(target, tokens.Next().Value)
            : throw tokens.Error("expected name or number");
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
            || (tokens.Current.Kind == TokenKind.Name
                && tokens.Current.Value is not ("else" or "or" or "and" or "if" or "is" or "in" or "not"));
        return takesOperand ? new Arguments([ParsePostfix(ParsePrimary())], []) : Arguments.None;
    }

    private string ParseDottedName()
    {
        var name = tokens.ExpectName();
        while (tokens.SkipOperator(".")) name += "." + tokens.ExpectName();
        return name;
    }
}
