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

    /// <summary>A time as people say it: <c>42.1 s</c>, <c>12 min 31 s</c>, <c>3 h 05 min</c>.</summary>
    public static string Duration(double seconds)
    {
        FormattableString text = seconds < 60 ? $"{seconds:F1} s"
            : seconds < 3600 ? $"{Math.Floor(seconds / 60)} min {Math.Floor(seconds % 60):00} s"
            : (FormattableString)$"{Math.Floor(seconds / 3600)} h {Math.Floor(seconds / 60) % 60:00} min";
        return text.ToString(CultureInfo.InvariantCulture);
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
