using Meft.Core.Chat.Jinja.Syntax;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>A rendered text.</summary>
/// <param name="Text">The text.</param>
/// <param name="Marks">What of it was written between <c>{% generation %}</c> and <c>{% endgeneration %}</c>, in order.</param>
internal sealed record MarkedText(string Text, IReadOnlyList<Range> Marks);

/// <summary>Runs the statements of a template and collects the text they write.</summary>
internal sealed class TemplateRenderer
{
    /// <summary>How a statement ended: normally, or on the way out of a loop's body.</summary>
    private enum Flow
    {
        Normal,
        Break,
        Continue,
    }

    private readonly ExpressionEvaluator _expressions;
    private readonly Budget _budget;
    private readonly BoundedText _text = new();
    private readonly List<Range> _marks = [];
    private BoundedText _output;

    private TemplateRenderer(Budget budget, Globals globals, bool isStrict)
    {
        _budget = budget;
        _output = _text;
        _expressions = new ExpressionEvaluator(budget, globals, isStrict);
    }

    /// <summary>Renders a template.</summary>
    /// <exception cref="JinjaException">The template fails on this input; the line is that of the statement that failed.</exception>
    public static MarkedText Render(
        IReadOnlyList<Statement> template, IReadOnlyDictionary<string, Value> variables, Globals globals, Budget budget, bool isStrict = false)
    {
        var renderer = new TemplateRenderer(budget, globals, isStrict);
        var scope = Scope.Of(variables);
        renderer.Run(template, scope);
        return new MarkedText(renderer._text.ToString(), renderer._marks);
    }

    private Flow Run(IReadOnlyList<Statement> statements, Scope scope)
    {
        foreach (var statement in statements)
        {
            try
            {
                var flow = Run(statement, scope);
                if (flow != Flow.Normal) return flow;
            }
            catch (JinjaException error) when (error.Line == 0)
            {
                error.Line = statement.Line;
                throw;
            }
        }
        return Flow.Normal;
    }

    private Flow Run(Statement statement, Scope scope)
    {
        _budget.Spend(1);
        TemplateLimitException.ThrowIfTooDeep();
        switch (statement)
        {
            case TextStatement text: Write(text.Text); return Flow.Normal;
            case Output output: Write(ValueText.Plain(_expressions.Used(_expressions.Evaluate(output.Expression, scope)))); return Flow.Normal;
            case Set set: Assign(set.Target, _expressions.Evaluate(set.Value, scope), scope); return Flow.Normal;
            case If branches: return RunIf(branches, scope);
            case For loop: RunFor(loop, _expressions.Evaluate(loop.Items, scope), scope, depth: 0); return Flow.Normal;
            case LoopControl control: return control.IsBreak ? Flow.Break : Flow.Continue;
            case Block block: return RunMarked(block, scope);
            case SetBlock set: Assign(set.Target, Capture(set.Body, set.Filters, scope), scope); return Flow.Normal;
            case FilterBlock block: Write(ValueText.Plain(Capture(block.Body, block.Filters, scope))); return Flow.Normal;
            case With with: return RunWith(with, scope);
            case Macro macro: scope.Set(macro.Name, MacroOf(macro.Name, macro.Parameters, macro.Body, scope)); return Flow.Normal;
            case CallBlock call: Write(ValueText.Plain(RunCall(call, scope))); return Flow.Normal;
            default: throw new InvalidOperationException($"no execution of {statement.GetType().Name}");
        }
    }

    /// <summary>Runs the body of <c>{% generation %}</c>. Where its text is kept as a value, it is not known where that will be written.</summary>
    private Flow RunMarked(Block block, Scope scope)
    {
        var start = _output.Length;
        var flow = Run(block.Body, scope);
        if (ReferenceEquals(_output, _text) && _output.Length > start) _marks.Add(start.._output.Length);
        return flow;
    }

    private void Write(string text)
    {
        _budget.Spend(text.Length / 8);
        _output.Append(text);
    }

    private Flow RunIf(If statement, Scope scope)
    {
        foreach (var (condition, body) in statement.Branches)
        {
            if (_expressions.Evaluate(condition, scope).IsTrue) return Run(body, scope);
        }
        return Run(statement.Else, scope);
    }

    private void RunFor(For loop, Value iterated, Scope outer, int depth)
    {
        var items = Chosen(loop, _expressions.ItemsOf(iterated), outer);
        if (items.Count == 0)
        {
            Run(loop.Else, new Scope(outer));
            return;
        }
        Func<Value, Value> recurse = inner => Captured(() => RunFor(loop, inner, outer, depth + 1));
        var variable = new LoopValue(items, depth, loop.IsRecursive ? recurse : null);
        for (; variable.Index < items.Count; variable.Index++)
        {
            _budget.Spend(1);
            var scope = new Scope(outer);
            scope.Set("loop", variable);
            Assign(loop.Target, items[variable.Index], scope);
            if (Run(loop.Body, scope) == Flow.Break) return;
        }
    }

    /// <summary>The items that a loop's condition leaves.</summary>
    private IReadOnlyList<Value> Chosen(For loop, IReadOnlyList<Value> items, Scope outer)
    {
        if (loop.Condition is null) return items;
        var chosen = new List<Value>();
        foreach (var item in items)
        {
            var scope = new Scope(outer);
            Assign(loop.Target, item, scope);
            if (_expressions.Evaluate(loop.Condition, scope).IsTrue) chosen.Add(item);
        }
        return chosen;
    }

    private Flow RunWith(With with, Scope outer)
    {
        var scope = new Scope(outer);
        foreach (var (target, value) in with.Assignments) Assign(target, _expressions.Evaluate(value, outer), scope);
        return Run(with.Body, scope);
    }

    private Value RunCall(CallBlock block, Scope scope)
    {
        var caller = MacroOf("caller", block.Parameters, block.Body, scope);
        var arguments = _expressions.Evaluate(block.Call.Arguments, scope);
        var named = new Dictionary<string, Value>(arguments.Named) { ["caller"] = caller };
        return _expressions.Invoke(_expressions.Evaluate(block.Call.Target, scope), arguments with { Named = named });
    }

    private FunctionValue MacroOf(string name, IReadOnlyList<Parameter> parameters, IReadOnlyList<Statement> body, Scope definedIn) =>
        new(name, arguments => Captured(() => Run(body, BindParameters(parameters, arguments, definedIn))));

    private Scope BindParameters(IReadOnlyList<Parameter> parameters, CallArguments arguments, Scope definedIn)
    {
        var scope = new Scope(definedIn);
        for (var i = 0; i < parameters.Count; i++)
        {
            var parameter = parameters[i];
            scope.Set(parameter.Name, arguments.Find(i, parameter.Name) ?? (parameter.Default is { } byDefault
                ? _expressions.Evaluate(byDefault, scope)
                : new UndefinedValue($"parameter '{parameter.Name}' was not provided")));
        }
        var others = arguments.Named.Where(argument => parameters.All(parameter => parameter.Name != argument.Key)).ToList();
        if (others.FirstOrDefault(argument => argument.Key == "caller").Value is { } caller) scope.Set("caller", caller);
        scope.Set("varargs", new ListValue([.. arguments.Positional.Skip(parameters.Count)], isTuple: true));
        scope.Set("kwargs", MapValue.Of(others.Where(argument => argument.Key != "caller")));
        return scope;
    }

    private Value Capture(IReadOnlyList<Statement> body, IReadOnlyList<FilterStep> filters, Scope outer)
    {
        var scope = new Scope(outer);
        Value text = Captured(() => Run(body, scope));
        foreach (var filter in filters) text = _expressions.ApplyFilter(filter.Name, text, _expressions.Evaluate(filter.Arguments, scope));
        return text;
    }

    /// <summary>The text that an action writes, instead of writing it.</summary>
    private TextValue Captured(Action write)
    {
        var around = _output;
        _output = new BoundedText();
        _budget.EnterCall();
        try
        {
            write();
            return new TextValue(_output.ToString());
        }
        finally
        {
            _budget.LeaveCall();
            _output = around;
        }
    }

    private void Assign(AssignmentTarget target, Value value, Scope scope)
    {
        switch (target)
        {
            case NameTarget name:
                scope.Set(name.Name, value);
                break;
            case NamespaceTarget member:
                if (scope.Find(member.Name) is not NamespaceValue container)
                    throw new JinjaException("cannot assign attribute on non-namespace object");
                container.Set(member.Member, value);
                break;
            case TupleTarget tuple:
                var items = _expressions.ItemsOf(value);
                if (items.Count > tuple.Items.Count) throw new JinjaException($"too many values to unpack (expected {tuple.Items.Count})");
                if (items.Count < tuple.Items.Count)
                    throw new JinjaException($"not enough values to unpack (expected {tuple.Items.Count}, got {items.Count})");
                for (var i = 0; i < items.Count; i++) Assign(tuple.Items[i], items[i], scope);
                break;
        }
    }
}
