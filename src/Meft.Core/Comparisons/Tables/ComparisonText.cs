using System.Globalization;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Statistics;

namespace Meft.Core.Comparisons.Tables;

/// <summary>Numbers of a comparison as its tables and pictures write them.</summary>
public static class ComparisonText
{
    /// <summary>What stands where there is no number yet.</summary>
    public const string None = "–";

    private static readonly string[] Binary = ["B", "KiB", "MiB", "GiB", "TiB"];
    private static readonly string[] Decimal = ["", " k", " M", " G"];

    /// <summary>Bytes with a binary unit, three digits.</summary>
    public static string Bytes(double bytes) => Scaled(bytes, 1024, Binary.Length) is var (value, unit) && unit == 0 ? $"{Number(value, "0")} B" : $"{Digits(value)} {Binary[unit]}";

    /// <summary>A count with a decimal unit, three digits: <c>73.0 M</c>.</summary>
    public static string Count(double count) => Scaled(count, 1000, Decimal.Length) is var (value, unit) && unit == 0 ? Number(value, "0") : Digits(value) + Decimal[unit];

    /// <summary>Seconds, three digits.</summary>
    public static string Seconds(double seconds) => Math.Abs(seconds) < 1 ? Number(seconds, "0.000") : Math.Abs(seconds) < 1000 ? Digits(seconds) : Number(seconds, "#,0");

    /// <summary>A learning rate, as short as it can be told: <c>0.002</c>, <c>5e-5</c>.</summary>
    public static string Rate(double rate) => Math.Abs(rate) >= 1e-4 ? Number(rate, "0.######") : Number(rate, "0.###e-0");

    /// <summary>A share in percent without the sign, or a number.</summary>
    public static string Figure(double value, MetricUnit unit) => Like(value, value, unit);

    /// <summary>A share in percent with the sign, or a number.</summary>
    public static string FigureWithUnit(double value, MetricUnit unit) => Figure(value, unit) + (unit == MetricUnit.Share ? " %" : "");

    /// <summary>A figure with its interval: <c>98.4 [97.5, 99.2]</c>.</summary>
    public static string Figure(double value, ConfidenceInterval? interval, MetricUnit unit) => interval is null
        ? Figure(value, unit)
        : $"{Figure(value, unit)} [{Like(interval.Low, value, unit)}, {Like(interval.High, value, unit)}]";

    /// <summary>A difference with its interval and signs: <c>+3.1 [+1.0, +5.2]</c>.</summary>
    public static string Difference(double value, ConfidenceInterval? interval, MetricUnit unit) => interval is null
        ? Signed(value, value, unit)
        : $"{Signed(value, value, unit)} [{Signed(interval.Low, value, unit)}, {Signed(interval.High, value, unit)}]";

    /// <summary>As many digits as another number of its size has, so that an interval reads like its value.</summary>
    private static string Like(double value, double sample, MetricUnit unit)
    {
        if (unit == MetricUnit.Share) return Number(100 * value, "0.0");
        var size = Math.Abs(sample);
        return Number(value, size < 10 ? "0.000" : size < 1000 ? "0.00" : size < 1e6 ? "#,0" : "0.00e+0");
    }

    private static string Signed(double value, double sample, MetricUnit unit) =>
        Like(value, sample, unit) is var text && (text.StartsWith('-') || text == "NaN") ? text : "+" + text;

    private static (double Value, int Unit) Scaled(double number, double step, int units)
    {
        var unit = 0;
        for (; Math.Abs(number) >= step && unit + 1 < units && double.IsFinite(number); unit++) number /= step;
        return (number, unit);
    }

    private static string Digits(double value) => Number(value, Math.Abs(value) < 10 ? "0.00" : Math.Abs(value) < 100 ? "0.0" : "0");

    private static string Number(double value, string format) => double.IsNaN(value) ? "NaN"
        : double.IsPositiveInfinity(value) ? "∞"
        : double.IsNegativeInfinity(value) ? "-∞"
        : value.ToString(format, CultureInfo.InvariantCulture) is var text && text.AsSpan().IndexOfAnyInRange('1', '9') >= 0 ? text
        : text.TrimStart('-'); // zero has no sign
}
