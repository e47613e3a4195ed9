using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>A test: <c>input is name(arguments)</c>.</summary>
internal delegate bool TestFunction(ExpressionEvaluator evaluator, Value input, CallArguments arguments);

/// <summary>The tests that templates may use.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, TestFunction> Known = new()
    {
        ["defined"] = (_, input, _) => input is not UndefinedValue,
        ["undefined"] = (_, input, _) => input is UndefinedValue,
        ["none"] = (_, input, _) => input is NoneValue,
        ["boolean"] = (_, input, _) => input is BooleanValue,
        ["true"] = (_, input, _) => input == BooleanValue.True,
        ["false"] = (_, input, _) => input == BooleanValue.False,
        ["integer"] = (_, input, _) => input is IntegerValue,
        ["float"] = (_, input, _) => input is FloatValue,
        ["number"] = (_, input, _) => input is NumberValue,
        ["string"] = (_, input, _) => input is TextValue,
        ["mapping"] = (_, input, _) => input is MapValue,
        ["sequence"] = (_, input, _) => input is TextValue or ListValue or MapValue or UndefinedValue,
        ["iterable"] = (_, input, _) => input is TextValue or ListValue or MapValue or UndefinedValue,
        ["callable"] = (_, input, _) => input is FunctionValue or LoopValue,
        ["lower"] = (_, input, _) => TextMethod(input, "islower"),
        ["upper"] = (_, input, _) => TextMethod(input, "isupper"),
        ["odd"] = (_, input, _) => Remainder(input, 2) == 1,
        ["even"] = (_, input, _) => Remainder(input, 2) == 0,
        ["divisibleby"] = (_, input, call) => Remainder(input, call.Integer(0, "num") ?? 0) == 0,
        ["sameas"] = (_, input, call) => IsSame(input, call.Required(0, "other")),
        ["in"] = (evaluator, input, call) => Compare(evaluator, "in", input, call.Required(0, "seq")),
        ["filter"] = (_, input, _) => Filters.Find(ValueText.Plain(input)) is not null,
        ["test"] = (_, input, _) => Find(ValueText.Plain(input)) is not null,
        ["escaped"] = (_, _, _) => false,
    };

    static Tests()
    {
        AddComparison("==", "eq", "equalto");
        AddComparison("!=", "ne");
        AddComparison("<", "lt", "lessthan");
        AddComparison("<=", "le");
        AddComparison(">", "gt", "greaterthan");
        AddComparison(">=", "ge");
    }

    /// <summary>The names of all tests.</summary>
    public static IEnumerable<string> Names => Known.Keys.Order(StringComparer.Ordinal);

    public static TestFunction? Find(string name) => Known.GetValueOrDefault(name);

    private static void AddComparison(string symbol, params ReadOnlySpan<string> names)
    {
        foreach (var name in (ReadOnlySpan<string>)[symbol, .. names])
            Known[name] = (evaluator, input, call) => Compare(evaluator, symbol, input, call.Required(0, "other"));
    }

    private static bool Compare(ExpressionEvaluator evaluator, string symbol, Value left, Value right)
    {
        evaluator.SpendOnComparing(right);
        return Operators.Compare(symbol, left, right);
    }

    private static bool IsSame(Value left, Value right) =>
        ReferenceEquals(left, right)
        || (left is not (ListValue or MapValue) && left.GetType() == right.GetType() && ValueComparer.AreEqual(left, right));

    private static bool TextMethod(Value input, string method) =>
        TextMethods.Find(ValueText.Plain(input), method)!.Invoke(CallArguments.None).IsTrue;

    private static long Remainder(Value input, long divisor) => Operators.Apply("%", input, new IntegerValue(divisor)) switch
    {
        IntegerValue remainder => remainder.Value,
        _ => throw new JinjaException($"a whole number is expected, not {input.TypeName}"),
    };
}
