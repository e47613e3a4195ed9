using System.Globalization;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>Filters for lists and mappings. Where Jinja gives a generator, these give a list.</summary>
internal static class ListFilters
{
    public static readonly Dictionary<string, FilterFunction> All = new()
    {
        ["list"] = (evaluator, input, _) => new ListValue(evaluator.ItemsOf(input)),
        ["first"] = (evaluator, input, _) =>
            evaluator.ItemsOf(input) is [var first, ..] ? first : new UndefinedValue("No first item, sequence was empty."),
        ["last"] = (evaluator, input, _) =>
            evaluator.ItemsOf(input) is [.., var last] ? last : new UndefinedValue("No last item, sequence was empty."),
        ["reverse"] = Reverse,
        ["join"] = Join,
        ["map"] = Map,
        ["select"] = (evaluator, input, call) => Select(evaluator, input, call, attribute: null, keeps: true),
        ["reject"] = (evaluator, input, call) => Select(evaluator, input, call, attribute: null, keeps: false),
        ["selectattr"] = (evaluator, input, call) => Select(evaluator, input, call.Skip(1), call.Required(0, "attribute"), keeps: true),
        ["rejectattr"] = (evaluator, input, call) => Select(evaluator, input, call.Skip(1), call.Required(0, "attribute"), keeps: false),
        ["sort"] = Sort,
        ["unique"] = Unique,
        ["min"] = (evaluator, input, call) => Extreme(evaluator, input, call, sign: -1),
        ["max"] = (evaluator, input, call) => Extreme(evaluator, input, call, sign: 1),
        ["sum"] = Sum,
        ["items"] = (_, input, _) => Pairs(input),
        ["dictsort"] = SortPairs,
    };

    private static Value Reverse(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var reversed = evaluator.ItemsOf(input).Reverse().ToList();
        return input is TextValue ? new TextValue(string.Concat(reversed.Select(ValueText.Plain))) : new ListValue(reversed);
    }

    private static TextValue Join(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var separator = ValueText.Plain(call.Optional(0, "d", TextValue.Empty));
        var attribute = call.Find(1, "attribute");
        var text = new BoundedText();
        var isFirst = true;
        foreach (var item in evaluator.ItemsOf(input))
        {
            if (!isFirst) text.Append(separator);
            isFirst = false;
            text.Append(ValueText.Plain(MemberAt(evaluator, item, attribute)));
        }
        return new TextValue(text.ToString());
    }

    private static ListValue Map(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var items = evaluator.ItemsOf(input);
        if (call.Positional.Count == 0)
        {
            var attribute = call.Named.GetValueOrDefault("attribute") ?? throw new JinjaException("map requires a filter argument");
            var byDefault = call.Named.GetValueOrDefault("default");
            return new ListValue([.. items.Select(item => MemberAt(evaluator, item, attribute, byDefault))]);
        }
        var (filter, arguments) = (ValueText.Plain(call.Positional[0]), call.Skip(1));
        return new ListValue([.. items.Select(item => evaluator.ApplyFilter(filter, item, arguments))]);
    }

    private static ListValue Select(ExpressionEvaluator evaluator, Value input, CallArguments call, Value? attribute, bool keeps)
    {
        var test = call.Positional.Count > 0 ? ValueText.Plain(call.Positional[0]) : null;
        var arguments = call.Skip(1);
        return new ListValue([.. evaluator.ItemsOf(input).Where(item => Holds(MemberAt(evaluator, item, attribute)) == keeps)]);

        bool Holds(Value value) => test is null ? value.IsTrue : evaluator.ApplyTest(test, value, arguments);
    }

    private static ListValue Sort(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var key = KeyOf(evaluator, call.Find(2, "attribute"), call.Flag(1, "case_sensitive", false));
        return new ListValue(Ordered(evaluator, evaluator.ItemsOf(input), key, call.Flag(0, "reverse", false)));
    }

    private static ListValue Unique(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var key = KeyOf(evaluator, call.Find(1, "attribute"), call.Flag(0, "case_sensitive", false));
        evaluator.SpendOnComparing(input);
        return new ListValue([.. evaluator.ItemsOf(input).DistinctBy(key, ValueComparer.Instance)]);
    }

    private static Value Extreme(ExpressionEvaluator evaluator, Value input, CallArguments call, int sign)
    {
        var key = KeyOf(evaluator, call.Find(1, "attribute"), call.Flag(0, "case_sensitive", false));
        evaluator.SpendOnComparing(input);
        var items = evaluator.ItemsOf(input);
        if (items.Count == 0) return new UndefinedValue("No aggregated item, sequence was empty.");
        return items.Aggregate((best, item) => ValueComparer.Compare(key(item), key(best)) * sign > 0 ? item : best);
    }

    private static Value Sum(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var attribute = call.Find(0, "attribute");
        return evaluator.ItemsOf(input).Aggregate(
            call.Optional(1, "start", new IntegerValue(0)), (sum, item) => Operators.Apply("+", sum, MemberAt(evaluator, item, attribute)));
    }

    private static ListValue Pairs(Value input) => input switch
    {
        MapValue map => map.Pairs(),
        UndefinedValue => new ListValue([]),
        _ => throw new JinjaException("Can only get item pairs from a mapping."),
    };

    private static ListValue SortPairs(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var place = (call.Text(1, "by") ?? "key") switch
        {
            "key" => 0,
            "value" => 1,
            _ => throw new JinjaException("You can only sort by either \"key\" or \"value\""),
        };
        var key = KeyOf(evaluator, new IntegerValue(place), call.Flag(0, "case_sensitive", false));
        return new ListValue(Ordered(evaluator, Pairs(input).Items, key, call.Flag(2, "reverse", false)));
    }

    private static List<Value> Ordered(ExpressionEvaluator evaluator, IReadOnlyList<Value> items, Func<Value, Value> key, bool reverse) =>
        ValueComparer.Sort(items, key, reverse, evaluator.SpendOnComparing);

    /// <summary>What an item is compared by: itself or a member of it, its letters small unless their case matters.</summary>
    private static Func<Value, Value> KeyOf(ExpressionEvaluator evaluator, Value? attribute, bool isCaseSensitive) => item =>
    {
        var key = MemberAt(evaluator, item, attribute);
        return key is TextValue text && !isCaseSensitive ? new TextValue(text.Text.ToLowerInvariant()) : key;
    };

    /// <summary>
    /// A member reached by a path such as <c>function.name</c>, or the item itself where there is no path; a default where there is no
    /// such member.
    /// </summary>
    private static Value MemberAt(ExpressionEvaluator evaluator, Value item, Value? path, Value? byDefault = null)
    {
        if (path is null or NoneValue) return item;
        if (path is not TextValue text) return OrDefault(evaluator.ItemOf(item, path));
        return text.Text.Split('.').Aggregate(item, (value, part) => OrDefault(evaluator.ItemOf(value, KeyOf(part))));

        Value OrDefault(Value member) => member is UndefinedValue ? byDefault ?? member : member;

        static Value KeyOf(string part) => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? new IntegerValue(index)
            : new TextValue(part);
    }
}
