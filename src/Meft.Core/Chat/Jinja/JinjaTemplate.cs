using Meft.Core.Chat.Jinja.Evaluation;
using Meft.Core.Chat.Jinja.Syntax;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja;

/// <summary>
/// A template in Jinja, set up as transformers sets it up for chat: <c>trim_blocks</c>, <c>lstrip_blocks</c>, loop controls, values that a
/// template cannot change, <c>raise_exception</c>, <c>strftime_now</c>, and a <c>tojson</c> that escapes no more than JSON demands.
/// Templates that load others (<c>include</c>, <c>extends</c>, <c>import</c>) are refused.
/// </summary>
internal sealed class JinjaTemplate
{
    private readonly IReadOnlyList<Statement> _statements;

    private JinjaTemplate(IReadOnlyList<Statement> statements) => _statements = statements;

    /// <exception cref="JinjaException">The text is no template.</exception>
    public static JinjaTemplate Parse(string text) => new(TemplateParser.Parse(text));

    /// <summary>Renders the template.</summary>
    /// <param name="variables">What it may name.</param>
    /// <param name="time">The clock behind <c>strftime_now</c>.</param>
    /// <param name="steps">The work it may take.</param>
    /// <param name="isStrict">Whether what does not exist is an error where it is used, instead of empty.</param>
    /// <exception cref="JinjaException">The template fails on these variables, or takes more than its budget.</exception>
    public string Render(
        IReadOnlyDictionary<string, Value> variables, TimeProvider time, long steps = Budget.DefaultSteps, bool isStrict = false) =>
        TemplateRenderer.Render(_statements, variables, new Globals(time), new Budget(steps), isStrict).Text;

    /// <summary>As <see cref="Render"/>, with the places of what the template marks as generated.</summary>
    /// <exception cref="JinjaException">The template fails on these variables, or takes more than its budget.</exception>
    public MarkedText RenderMarked(IReadOnlyDictionary<string, Value> variables, TimeProvider time, long steps = Budget.DefaultSteps) =>
        TemplateRenderer.Render(_statements, variables, new Globals(time), new Budget(steps));
}
