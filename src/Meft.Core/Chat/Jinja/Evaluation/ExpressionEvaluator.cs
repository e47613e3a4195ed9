using Meft.Core.Chat.Jinja.Syntax;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>Evaluates expressions. Work is counted, so that no template runs without end.</summary>
/// <param name="budget">The work it may do.</param>
/// <param name="globals">The functions it may call.</param>
/// <param name="isStrict">
/// Whether what does not exist is an error wherever it is used, where Jinja takes it as empty; conditions, <c>is defined</c> and the
/// filter <c>default</c> still take it.
/// </param>
internal sealed class ExpressionEvaluator(Budget budget, Globals globals, bool isStrict = false)
{
    public Budget Budget => budget;

    /// <summary>The value, unless it does not exist and that is an error.</summary>
    public Value Used(Value value) => isStrict && value is UndefinedValue undefined ? throw undefined.Error() : value;

    public Value Evaluate(Expression expression, Scope scope)
    {
        budget.Spend(1);
        TemplateLimitException.ThrowIfTooDeep();
        return expression switch
        {
            Literal literal => literal.Value,
            Variable variable => scope.Find(variable.Name) ?? globals.Find(variable.Name) ?? UndefinedValue.Variable(variable.Name),
            Syntax.Attribute attribute => MemberOf(Evaluate(attribute.Target, scope), attribute.Name),
            Subscript subscript => ItemOf(Evaluate(subscript.Target, scope), Evaluate(subscript.Key, scope)),
            Filter filter => ApplyFilter(filter.Name, Evaluate(filter.Input, scope), Evaluate(filter.Arguments, scope)),
            Test test => Value.Of(ApplyTest(test.Name, Evaluate(test.Input, scope), Evaluate(test.Arguments, scope))),
            Call call => Invoke(Evaluate(call.Target, scope), Evaluate(call.Arguments, scope)),
            Logical logical => EvaluateLogical(logical, scope),
            Negation negation => Value.Of(!Evaluate(negation.Operand, scope).IsTrue),
            Comparison comparison => Value.Of(EvaluateComparison(comparison, scope)),
            Conditional conditional => EvaluateConditional(conditional, scope),
            Arithmetic arithmetic => Created(
                Operators.Apply(arithmetic.Operator, Evaluate(arithmetic.Left, scope), Evaluate(arithmetic.Right, scope))),
            Concatenation concatenation => Concatenate(concatenation, scope),
            Sign sign => Operators.ApplySign(sign.IsMinus, Evaluate(sign.Operand, scope)),
            ListExpression list => Created(new ListValue([.. list.Items.Select(item => Evaluate(item, scope))], list.IsTuple)),
            MapExpression map => Created(EvaluateMap(map, scope)),
            Slice slice => EvaluateSlice(slice, scope),
            _ => throw new InvalidOperationException($"no evaluation of {expression.GetType().Name}"),
        };
    }

    public CallArguments Evaluate(Arguments arguments, Scope scope)
    {
        if (arguments == Arguments.None) return CallArguments.None;
        var positional = arguments.Positional.Select(argument => Used(Evaluate(argument, scope))).ToList();
        if (arguments.Spread is not null) positional.AddRange(ItemsOf(Evaluate(arguments.Spread, scope)));
        var named = new Dictionary<string, Value>();
        foreach (var (name, argument) in arguments.Named) named[name] = Used(Evaluate(argument, scope));
        if (arguments.NamedSpread is not null)
        {
            if (Evaluate(arguments.NamedSpread, scope) is not MapValue map) throw new JinjaException("argument after ** must be a mapping");
            foreach (var (key, value) in map.Members) named[ValueText.Plain(key)] = value;
        }
        return new CallArguments(positional, named);
    }

    /// <summary>What a loop over a value goes through.</summary>
    public IReadOnlyList<Value> ItemsOf(Value value)
    {
        budget.Spend(Used(value).Length ?? 0);
        return value.Items ?? throw new JinjaException($"'{value.TypeName}' object is not iterable");
    }

    public Value ApplyFilter(string name, Value input, CallArguments arguments)
    {
        budget.Spend(1 + (input.Length ?? 0) / 8);
        var filter = Filters.Find(name) ?? throw new JinjaException($"No filter named '{name}'.");
        return Created(filter(this, name is "default" or "d" ? input : Used(input), arguments));
    }

    public bool ApplyTest(string name, Value input, CallArguments arguments)
    {
        budget.Spend(1);
        var test = Tests.Find(name) ?? throw new JinjaException($"No test named '{name}'.");
        return test(this, input, arguments);
    }

    public Value Invoke(Value target, CallArguments arguments)
    {
        budget.Spend(1);
        return target switch
        {
            FunctionValue function => Created(function.Invoke(arguments)),
            LoopValue loop => loop.Recurse(arguments.Required(0, "iterable")),
            UndefinedValue undefined => throw undefined.Error(),
            _ => throw new JinjaException($"'{target.TypeName}' object is not callable"),
        };
    }

    /// <summary>A value reached by name: a method first, then an item.</summary>
    public Value MemberOf(Value target, string name)
    {
        if (target is UndefinedValue undefined) throw undefined.Error();
        if (target is TextValue or ListValue) budget.Spend(target.Weight);
        return target.Member(name) ?? target.Item(new TextValue(name)) ?? NoMember(target, name);
    }

    /// <summary>A value reached by key: an item first, then a method.</summary>
    public Value ItemOf(Value target, Value key)
    {
        if (target is UndefinedValue undefined) throw undefined.Error();
        if (target is TextValue text) budget.Spend(text.Weight);
        if (target.Item(key) is { } item) return item;
        if (key is TextValue name) return target.Member(name.Text) ?? NoMember(target, name.Text);
        return key as UndefinedValue ?? new UndefinedValue($"{target.TypeName} object has no element {ValueText.Quoted(key)}");
    }

    /// <summary>Counts the work of comparing a value with all that it holds.</summary>
    public void SpendOnComparing(Value value) => budget.Spend(value.Weight);

    private static UndefinedValue NoMember(Value target, string name) =>
        new(target is NoneValue ? $"'None' has no attribute '{name}'" : $"'{target.TypeName} object' has no attribute '{name}'");

    /// <summary>Counts the work of making a value.</summary>
    private Value Created(Value value)
    {
        budget.Spend(value is TextValue ? value.Weight : value.Length ?? 0);
        return value;
    }

    private Value EvaluateLogical(Logical logical, Scope scope)
    {
        var left = Evaluate(logical.Left, scope);
        return left.IsTrue == logical.IsAnd ? Evaluate(logical.Right, scope) : left;
    }

    private bool EvaluateComparison(Comparison comparison, Scope scope)
    {
        var left = Evaluate(comparison.First, scope);
        foreach (var (symbol, operand) in comparison.Rest)
        {
            var right = Evaluate(operand, scope);
            if (right is not MapValue || symbol is not ("in" or "not in")) SpendOnComparing(right);
            if (!Operators.Compare(symbol, left, right)) return false;
            left = right;
        }
        return true;
    }

    private Value EvaluateConditional(Conditional conditional, Scope scope)
    {
        if (Evaluate(conditional.Condition, scope).IsTrue) return Evaluate(conditional.Then, scope);
        return conditional.Else is { } otherwise
            ? Evaluate(otherwise, scope)
            : new UndefinedValue("the inline if-expression evaluated to false and no else section was defined.");
    }

    private Value Concatenate(Concatenation concatenation, Scope scope)
    {
        var text = new BoundedText();
        foreach (var part in concatenation.Parts) text.Append(ValueText.Plain(Used(Evaluate(part, scope))));
        return Created(new TextValue(text.ToString()));
    }

    private MapValue EvaluateMap(MapExpression map, Scope scope)
    {
        var members = new OrderedDictionary<Value, Value>(ValueComparer.Instance);
        foreach (var (key, value) in map.Members) members[Evaluate(key, scope)] = Evaluate(value, scope);
        return new MapValue(members);
    }

    private Value EvaluateSlice(Slice slice, Scope scope)
    {
        var target = Evaluate(slice.Target, scope);
        if (target is UndefinedValue undefined) throw undefined.Error();
        budget.Spend(target.Length ?? 0);
        return Created(Operators.Slice(target, Bound(slice.Start), Bound(slice.Stop), Bound(slice.Step)));

        long? Bound(Expression? bound) => bound is null ? null : Evaluate(bound, scope) switch
        {
            NoneValue => null,
            IntegerValue integer => integer.Value,
            UndefinedValue missing => throw missing.Error(),
            _ => throw new JinjaException("slice indices must be integers or None or have an __index__ method"),
        };
    }
}
