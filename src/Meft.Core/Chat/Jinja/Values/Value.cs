namespace Meft.Core.Chat.Jinja.Values;

/// <summary>A value of a template, with the behaviour it has in Python, where Jinja comes from.</summary>
internal abstract class Value
{
    /// <summary>The name of the type in Python's messages, such as <c>str</c>.</summary>
    public abstract string TypeName { get; }

    /// <summary>
    /// The size of the value with all that it holds, in units of which a text has one for eight characters. Containers refuse to grow
    /// beyond <see cref="MaximumWeight"/>, so that a list of twice itself, repeated, does not become a value that takes forever to print.
    /// </summary>
    public virtual long Weight => 1;

    /// <summary>The most that a value may weigh.</summary>
    public const long MaximumWeight = 4_000_000;

    /// <summary>Whether a condition on the value holds.</summary>
    public virtual bool IsTrue => true;

    /// <summary>
    /// What a loop over the value goes through: a text's characters, a mapping's keys; null where it cannot be looped over.
    /// </summary>
    public virtual IReadOnlyList<Value>? Items => null;

    /// <summary>How many items there are; null for a value that has no length.</summary>
    public virtual int? Length => Items?.Count;

    /// <summary>A member reached as <c>value.name</c> before its items are asked; null where there is none.</summary>
    public virtual Value? Member(string name) => null;

    /// <summary>An item reached as <c>value[key]</c>; null where there is none.</summary>
    public virtual Value? Item(Value key) => null;

    /// <summary>The length, or an error that names the type.</summary>
    public int LengthOrError() => Length ?? throw new JinjaException($"object of type '{TypeName}' has no len()");

    /// <summary>The weight of a container of these items.</summary>
    /// <exception cref="TemplateLimitException">It is too heavy.</exception>
    protected static long WeightOf(IEnumerable<Value> items)
    {
        var weight = 1L;
        foreach (var item in items)
        {
            weight += item.Weight;
            if (weight > MaximumWeight) throw new TemplateLimitException("the template makes a list or mapping that is too large");
        }
        return weight;
    }

    /// <summary>The value of true or false.</summary>
    public static Value Of(bool value) => value ? BooleanValue.True : BooleanValue.False;
}

/// <summary>
/// A variable or member that does not exist: empty where it is printed or looped over, an error where it is used otherwise.
/// </summary>
/// <param name="problem">The message of that error.</param>
internal sealed class UndefinedValue(string problem) : Value
{
    public override string TypeName => "Undefined";

    public override bool IsTrue => false;

    public override IReadOnlyList<Value> Items => [];

    /// <summary>The error of using the value.</summary>
    public JinjaException Error() => new(problem);

    public static UndefinedValue Variable(string name) => new($"'{name}' is undefined");
}

/// <summary>Python's None.</summary>
internal sealed class NoneValue : Value
{
    public static readonly NoneValue Instance = new();

    private NoneValue()
    {
    }

    public override string TypeName => "NoneType";

    public override bool IsTrue => false;
}
