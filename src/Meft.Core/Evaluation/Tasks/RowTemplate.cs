using Meft.Core.Chat.Jinja;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Evaluation.Tasks;

/// <summary>A text of a task with fields of the record in it, in Jinja. What a record does not have is an error where it is used.</summary>
internal sealed class RowTemplate
{
    /// <summary>The template of no text.</summary>
    public static readonly RowTemplate Empty = Parse("");

    private readonly JinjaTemplate _template;

    private RowTemplate(JinjaTemplate template, string source) => (_template, Source) = (template, source);

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <exception cref="JinjaException">The text is no template.</exception>
    public static RowTemplate Parse(string text) => new(JinjaTemplate.Parse(text), text);

    /// <exception cref="JinjaException">The template fails on these fields.</exception>
    public string Render(IReadOnlyDictionary<string, Value> fields) => _template.Render(fields, TaskClock.Fixed, isStrict: true);
}

/// <summary>A value made of a record's fields, as an expression of Jinja: a path such as <c>requested_rewrite.target_true.str</c>, a list, a filter.</summary>
internal sealed class RowExpression
{
    private readonly JinjaExpression _expression;

    private RowExpression(JinjaExpression expression, string source) => (_expression, Source) = (expression, source);

    /// <summary>The expression's text.</summary>
    public string Source { get; }

    /// <exception cref="JinjaException">The text is no expression.</exception>
    public static RowExpression Parse(string text) => new(JinjaExpression.Parse(text), text);

    /// <summary>The value; an error where it does not exist.</summary>
    /// <exception cref="JinjaException">The expression fails on these fields.</exception>
    public Value Evaluate(IReadOnlyDictionary<string, Value> fields) =>
        EvaluateOrUndefined(fields) is var value && value is UndefinedValue undefined ? throw undefined.Error() : value;

    /// <summary>Whether the value holds; what does not exist does not.</summary>
    /// <exception cref="JinjaException">The expression fails on these fields.</exception>
    public bool Holds(IReadOnlyDictionary<string, Value> fields) => EvaluateOrUndefined(fields).IsTrue;

    private Value EvaluateOrUndefined(IReadOnlyDictionary<string, Value> fields) => _expression.Evaluate(fields, TaskClock.Fixed);
}

/// <summary>The clock of tasks: a task gives the same prompts on every day.</summary>
internal sealed class TaskClock : TimeProvider
{
    /// <summary>The only one.</summary>
    public static readonly TaskClock Fixed = new();

    private TaskClock()
    {
    }

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;
}
