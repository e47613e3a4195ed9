namespace Meft.Core.Chat.Jinja.Values;

/// <summary>A list or tuple. A template cannot change it.</summary>
internal sealed class ListValue(IReadOnlyList<Value> items, bool isTuple = false) : Value
{
    public bool IsTuple => isTuple;

    public override long Weight { get; } = WeightOf(items);

    public override string TypeName => isTuple ? "tuple" : "list";

    public override bool IsTrue => items.Count > 0;

    public override IReadOnlyList<Value> Items => items;

    public override Value? Item(Value key) =>
        key is NumberValue and not FloatValue && IndexOf((long)((NumberValue)key).AsDouble, items.Count) is { } index ? items[index] : null;

    public override Value? Member(string name) => name switch
    {
        "count" => new FunctionValue(
            name, call => new IntegerValue(items.Count(item => ValueComparer.AreEqual(item, call.Required(0, "value"))))),
        "index" => new FunctionValue(name, call => IndexOf(call.Required(0, "value"))),
        "append" or "extend" or "insert" or "pop" or "remove" or "reverse" or "sort" or "clear" =>
            throw new JinjaException($"access to attribute '{name}' of '{TypeName}' object is unsafe."),
        _ => null,
    };

    /// <summary>The place that an index counted from the start, or below zero from the end, stands for; null where it is outside.</summary>
    public static int? IndexOf(long index, int count)
    {
        if (index < 0) index += count;
        return index >= 0 && index < count ? (int)index : null;
    }

    private IntegerValue IndexOf(Value value)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (ValueComparer.AreEqual(items[i], value)) return new IntegerValue(i);
        }
        throw new JinjaException($"{ValueText.Quoted(value)} is not in list");
    }
}

/// <summary>A mapping that keeps the order of its keys. A template cannot change it.</summary>
internal sealed class MapValue(OrderedDictionary<Value, Value> members) : Value
{
    /// <summary>A mapping with texts as keys; of two of the same name the later one counts.</summary>
    public static MapValue Of(IEnumerable<KeyValuePair<string, Value>> members)
    {
        var dictionary = new OrderedDictionary<Value, Value>(ValueComparer.Instance);
        foreach (var (name, value) in members) dictionary[new TextValue(name)] = value;
        return new MapValue(dictionary);
    }

    public override long Weight { get; } = WeightOf(members.Keys) + WeightOf(members.Values);

    public OrderedDictionary<Value, Value> Members => members;

    public override string TypeName => "dict";

    public override bool IsTrue => members.Count > 0;

    public override IReadOnlyList<Value> Items => [.. members.Keys];

    public override int? Length => members.Count;

    /// <summary>The member of a key; none for a list or mapping, which cannot be a key.</summary>
    public override Value? Item(Value key) =>
        key is MapValue or ListValue { IsTuple: false } ? null : members.GetValueOrDefault(key);

    public override Value? Member(string name) => name switch
    {
        "items" => new FunctionValue(name, _ => Pairs()),
        "keys" => new FunctionValue(name, _ => new ListValue(Items)),
        "values" => new FunctionValue(name, _ => new ListValue([.. members.Values])),
        "get" => new FunctionValue(name, call => Item(call.Required(0, "key")) ?? call.Optional(1, "default", NoneValue.Instance)),
        "copy" => new FunctionValue(name, _ => this),
        "update" or "pop" or "popitem" or "clear" or "setdefault" =>
            throw new JinjaException($"access to attribute '{name}' of 'dict' object is unsafe."),
        _ => null,
    };

    /// <summary>The members as tuples of key and value.</summary>
    public ListValue Pairs() => new([.. members.Select(member => new ListValue([member.Key, member.Value], isTuple: true))]);
}

/// <summary>What <c>namespace()</c> makes: members that a template may set, also from inside of a loop.</summary>
internal sealed class NamespaceValue(Dictionary<string, Value> members) : Value
{
    public override string TypeName => "Namespace";

    public override Value? Member(string name) => members.GetValueOrDefault(name);

    public override Value? Item(Value key) => key is TextValue name ? Member(name.Text) : null;

    public void Set(string name, Value value) => members[name] = value;
}
