using System.Globalization;

namespace Meft.Cli.Views;

/// <summary>Numbers as people read them.</summary>
internal static class Quantities
{
    private static readonly string[] Binary = ["B", "KiB", "MiB", "GiB", "TiB"];
    private static readonly string[] Decimal = ["", " k", " M", " billion"];

    /// <summary>Bytes with a binary unit, three digits: <c>1.25 GiB</c>.</summary>
    public static string Bytes(long bytes)
    {
        var (value, unit) = Scale(bytes, 1024, Binary.Length);
        return unit == 0 ? $"{bytes} B" : $"{Digits(value)} {Binary[unit]}";
    }

    /// <summary>A count with a decimal unit, three digits: <c>73.0 M</c>.</summary>
    public static string Count(long count)
    {
        var (value, unit) = Scale(count, 1000, Decimal.Length);
        return unit == 0 ? count.ToString(CultureInfo.InvariantCulture) : Digits(value) + Decimal[unit];
    }

    private static (double Value, int Unit) Scale(long number, double step, int units)
    {
        double value = number;
        var unit = 0;
        while (Math.Abs(value) >= step && unit + 1 < units)
        {
            value /= step;
            unit++;
        }
        return (value, unit);
    }

    private static string Digits(double value) =>
        value.ToString(Math.Abs(value) < 10 ? "F2" : Math.Abs(value) < 100 ? "F1" : "F0", CultureInfo.InvariantCulture);
}
