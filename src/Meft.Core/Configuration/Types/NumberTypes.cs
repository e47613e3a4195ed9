using System.Globalization;
using System.Numerics;

namespace Meft.Core.Configuration.Types;

/// <summary>Whole numbers of a range.</summary>
internal sealed class IntegerType<T>(T min, T max) : ConfigType<T> where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
{
    /// <inheritdoc/>
    public override string Allowed => max == T.MaxValue ? $"a whole number, at least {min}" : $"a whole number from {min} to {max}";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out T value)
    {
        value = default;
        if (node is not ConfigScalar { Quoted: false } scalar
            || !BigInteger.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return IsNo(node, "no whole number");
        }
        if (number < BigInteger.CreateChecked(min) || number > BigInteger.CreateChecked(max)) return $"{scalar.Text} is out of range";
        value = T.CreateChecked(number);
        return null;
    }

    /// <inheritdoc/>
    public override string Write(T value) => value.ToString(null, CultureInfo.InvariantCulture);
}

/// <summary>Finite numbers of a range; <c>2e-3</c> is one.</summary>
/// <param name="min">The lower end.</param>
/// <param name="above">Whether the lower end itself is out of range.</param>
/// <param name="below">The upper end, itself out of range; infinity for none.</param>
internal sealed class NumberType(double min, bool above = false, double below = double.PositiveInfinity) : ConfigType<double>
{
    /// <inheritdoc/>
    public override string Allowed
    {
        get
        {
            var lower = above ? $"above {Text(min)}" : $"at least {Text(min)}";
            return double.IsPositiveInfinity(below) ? $"a number {lower}" : $"a number {lower} and below {Text(below)}";
        }
    }

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out double value)
    {
        value = 0;
        if (node is not ConfigScalar { Quoted: false } scalar
            || !double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) || !double.IsFinite(value))
        {
            return IsNo(node, "no finite number");
        }
        return value < min || (above && value == min) || value >= below ? $"{scalar.Text} is out of range" : null;
    }

    /// <inheritdoc/>
    public override string Write(double value) => Text(value);

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
}

/// <summary>Two numbers of the same range, as a list.</summary>
internal sealed class PairType(NumberType number) : ConfigType<(double, double)>
{
    /// <inheritdoc/>
    public override string Allowed => $"a list of two, each {number.Allowed}";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out (double, double) value)
    {
        value = default;
        if (node is not ConfigSequence { Items: [var first, var second] }) return IsNo(node, "no list of two numbers");
        var problem = number.Read(first, folder, out value.Item1) ?? number.Read(second, folder, out value.Item2);
        return problem;
    }

    /// <inheritdoc/>
    public override string Write((double, double) value) => $"[{number.Write(value.Item1)}, {number.Write(value.Item2)}]";
}

/// <summary>Sizes in bytes.</summary>
internal sealed class SizeType : ConfigType<long>
{
    /// <inheritdoc/>
    public override string Allowed => ByteSize.Allowed;

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out long value)
    {
        value = 0;
        if (node is not ConfigScalar scalar || !ByteSize.TryParse(scalar.Text, out value)) return IsNo(node, "no size");
        return value == 0 ? $"{scalar.Text} is out of range" : null;
    }

    /// <inheritdoc/>
    public override string Write(long value) => ByteSize.Format(value);
}
