using Meft.Core.Chat.Jinja.Evaluation;
using Meft.Core.Chat.Jinja.Syntax;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja;

/// <summary>
/// A single expression of Jinja, as it would stand between <c>{{</c> and <c>}}</c>. What does not exist is an error where it is used.
/// </summary>
internal sealed class JinjaExpression
{
    private readonly Expression _expression;

    private JinjaExpression(Expression expression) => _expression = expression;

    /// <exception cref="JinjaException">The text is no expression.</exception>
    public static JinjaExpression Parse(string text) => TemplateParser.Parse($"{{{{ {text} }}}}") is [Output only]
        ? new JinjaExpression(only.Expression)
        : throw new JinjaException("an expression is expected, without {{ and }}");

    /// <summary>The expression's value; an <see cref="UndefinedValue"/> where it names what does not exist.</summary>
    /// <exception cref="JinjaException">The expression fails on these variables, or takes more than its budget.</exception>
    public Value Evaluate(IReadOnlyDictionary<string, Value> variables, TimeProvider time) =>
        new ExpressionEvaluator(new Budget(), new Globals(time), isStrict: true).Evaluate(_expression, Scope.Of(variables));
}
