namespace Meft.Core.Chat.Jinja.Values;

/// <summary>A number; true and false count as 1 and 0.</summary>
internal abstract class NumberValue : Value
{
    /// <summary>The number as a float.</summary>
    public abstract double AsDouble { get; }

    public override bool IsTrue => AsDouble != 0;
}

/// <summary>True or false.</summary>
internal sealed class BooleanValue : NumberValue
{
    public static readonly BooleanValue True = new(true);
    public static readonly BooleanValue False = new(false);

    private readonly bool _value;

    private BooleanValue(bool value) => _value = value;

    public override string TypeName => "bool";

    public override double AsDouble => _value ? 1 : 0;
}

/// <summary>A whole number of 64 bits.</summary>
internal sealed class IntegerValue(long value) : NumberValue
{
    public long Value => value;

    public override string TypeName => "int";

    public override double AsDouble => value;
}

/// <summary>A float.</summary>
internal sealed class FloatValue(double value) : NumberValue
{
    public override string TypeName => "float";

    public override double AsDouble => value;
}
