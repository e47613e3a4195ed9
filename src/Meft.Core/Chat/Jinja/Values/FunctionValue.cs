namespace Meft.Core.Chat.Jinja.Values;

/// <summary>Something that can be called: a macro, a global function, a method bound to its value.</summary>
internal sealed class FunctionValue(string name, Func<CallArguments, Value> invoke) : Value
{
    public override string TypeName => "function";

    public override Value? Member(string member) => member == "name" ? new TextValue(name) : null;

    public Value Invoke(CallArguments arguments) => invoke(arguments);
}

/// <summary>The values of a call's arguments.</summary>
internal sealed record CallArguments(IReadOnlyList<Value> Positional, IReadOnlyDictionary<string, Value> Named)
{
    public static CallArguments None { get; } = new([], new Dictionary<string, Value>());

    /// <summary>The argument at a place or of a name, or null.</summary>
    public Value? Find(int position, string name) => position < Positional.Count ? Positional[position] : Named.GetValueOrDefault(name);

    public Value Optional(int position, string name, Value byDefault) => Find(position, name) ?? byDefault;

    public Value Required(int position, string name) => Find(position, name) ?? throw new JinjaException($"missing argument '{name}'");

    public bool Flag(int position, string name, bool byDefault) => Find(position, name)?.IsTrue ?? byDefault;

    public string? Text(int position, string name) => Find(position, name) switch
    {
        null or NoneValue => null,
        TextValue text => text.Text,
        UndefinedValue undefined => throw undefined.Error(),
        var other => throw new JinjaException($"argument '{name}' should be a str, not {other.TypeName}"),
    };

    public long? Integer(int position, string name) => Find(position, name) switch
    {
        null or NoneValue => null,
        IntegerValue integer => integer.Value,
        BooleanValue boolean => boolean.IsTrue ? 1 : 0,
        UndefinedValue undefined => throw undefined.Error(),
        var other => throw new JinjaException($"argument '{name}' should be an int, not {other.TypeName}"),
    };

    /// <summary>The arguments after the first ones.</summary>
    public CallArguments Skip(int count) => this with { Positional = [.. Positional.Skip(count)] };
}
