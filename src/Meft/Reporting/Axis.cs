using System.Globalization;

namespace Meft.Reporting;

/// <summary>How numbers are laid out along an axis: linear, or logarithmic where they span decades; with round ticks.</summary>
internal sealed class Axis
{
    private readonly double _from, _to;

    private Axis(double from, double to, bool isLog, IReadOnlyList<double> ticks) => (_from, _to, IsLogarithmic, Ticks) = (from, to, isLog, ticks);

    /// <summary>Whether decades have equal lengths.</summary>
    public bool IsLogarithmic { get; }

    /// <summary>Round numbers within the axis, ascending.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>An axis over numbers from the least to the largest.</summary>
    /// <param name="least">The least number.</param>
    /// <param name="most">The largest.</param>
    /// <param name="about">How many ticks, about.</param>
    /// <param name="mayBeLogarithmic">Whether decades may have equal lengths.</param>
    /// <param name="fromZero">Whether zero is to be seen.</param>
    public static Axis Over(double least, double most, int about, bool mayBeLogarithmic = false, bool fromZero = false)
    {
        if (mayBeLogarithmic && least > 0 && most / least >= 100) return Logarithmic(least, most);
        if (fromZero) (least, most) = (Math.Min(0, least), Math.Max(0, most));
        var largest = Math.Max(Math.Abs(least), Math.Abs(most));
        // Numbers that are alike, up to rounding, stand in the middle.
        if (most - least <= 1e-9 * largest || largest < 1e-300) (least, most) = largest < 1e-300 ? (0, 1) : (least - (Math.Abs(least) / 2), least + (Math.Abs(least) / 2));
        var step = RoundStep((most - least) / about);
        var (from, to) = (Math.Floor(least / step + 1e-9) * step, Math.Ceiling(most / step - 1e-9) * step);
        return new Axis(from, to, false, [.. Enumerable.Range(0, (int)Math.Round((to - from) / step) + 1).Select(i => from + (i * step))]);
    }

    /// <summary>An axis over steps: it ends where the data end, whatever its ticks.</summary>
    public static Axis OverSteps(double first, double last, int about)
    {
        if (last <= first) return new Axis(first - 1, first + 1, false, [first]); // a single step stands in the middle
        var step = Math.Max(1, RoundStep((last - first) / about));
        var from = Math.Ceiling(first / step) * step;
        return new Axis(first, last, false, [.. Enumerable.Range(0, (int)Math.Floor((last - from) / step + 1e-9) + 1).Select(i => from + (i * step))]);
    }

    /// <summary>An axis where equal factors have equal lengths, over positive numbers; it ends a little beyond them. With powers of two as ticks, or with 1, 2, 5 and tens.</summary>
    /// <param name="least">The least number, above zero.</param>
    /// <param name="most">The largest.</param>
    /// <param name="mostTicks">How many ticks at most.</param>
    /// <param name="ofTwo">Whether ticks are powers of two.</param>
    public static Axis OverFactors(double least, double most, int mostTicks, bool ofTwo = false)
    {
        var pad = Math.Max(0.06 * Math.Log10(most / least), 0.06);
        var (from, to) = (Math.Log10(least) - pad, Math.Log10(most) + pad);
        var ticks = ofTwo ? Powers(2, [1]) : Powers(10, [1]);
        if (ticks.Count < 3 && !ofTwo) ticks = Powers(10, [1, 2, 5]);
        if (ticks.Count < 3 && !ofTwo) ticks = [.. Over(Math.Pow(10, from), Math.Pow(10, to), mostTicks - 1).Ticks.Where(t => t > 0 && Math.Log10(t) >= from && Math.Log10(t) <= to)];
        var each = (ticks.Count + mostTicks - 1) / Math.Max(1, mostTicks);
        return new Axis(from, to, true, [.. ticks.Where((_, i) => i % each == 0)]);

        List<double> Powers(double radix, double[] factors)
        {
            var (first, last) = ((int)Math.Floor(from / Math.Log10(radix)), (int)Math.Ceiling(to / Math.Log10(radix)));
            return [.. Enumerable.Range(first, last - first + 1).SelectMany(e => factors.Select(f => f * Math.Pow(radix, e))).Where(t => Math.Log10(t) >= from && Math.Log10(t) <= to)];
        }
    }

    /// <summary>The same axis with other ticks.</summary>
    public Axis WithTicks(IEnumerable<double> ticks) => new(_from, _to, IsLogarithmic, [.. ticks]);

    /// <summary>An axis over bytes: from zero with ticks that are round in a binary unit, or over factors where the largest is many times the least.</summary>
    public static Axis OverBytes(double least, double most, int about)
    {
        if (least > 0 && most / least > 12) return OverFactors(least, most, about, ofTwo: true);
        var unit = most >= 1L << 30 ? 1L << 30 : most >= 1 << 20 ? 1 << 20 : most >= 1 << 10 ? 1 << 10 : 1.0;
        var axis = Over(least / unit, most / unit, about, fromZero: true);
        return new Axis(axis._from * unit, axis._to * unit, false, [.. axis.Ticks.Select(t => t * unit)]);
    }

    /// <summary>Where a number lies, 0 at the beginning and 1 at the end; numbers beyond lie beyond.</summary>
    public double Place(double value) => IsLogarithmic
        ? value <= 0 ? -1 : (Math.Log10(value) - _from) / (_to - _from)
        : (value - _from) / (_to - _from);

    /// <summary>A number as short as it can be told: <c>0.002</c>, <c>1.5k</c>, <c>2e-5</c>.</summary>
    public static string Label(double value)
    {
        var size = Math.Abs(value);
        FormattableString text = size == 0 ? $"0"
            : size >= 1e9 ? $"{value / 1e9:0.##}G"
            : size >= 1e6 ? $"{value / 1e6:0.##}M"
            : size >= 1e4 ? $"{value / 1e3:0.##}k"
            : size >= 1e-3 ? $"{value:0.####}"
            : (FormattableString)$"{value:0.##e-0}";
        return text.ToString(CultureInfo.InvariantCulture);
    }

    private static Axis Logarithmic(double least, double most)
    {
        var (from, to) = (Math.Floor(Math.Log10(least)), Math.Ceiling(Math.Log10(most)));
        var each = Math.Max(1, (int)Math.Ceiling((to - from) / 6));
        return new Axis(from, to, true, [.. Enumerable.Range(0, (int)(to - from) / each + 1).Select(i => Math.Pow(10, from + (i * each)))]);
    }

    /// <summary>1, 2, 2.5 or 5 times a power of ten, not less than a number.</summary>
    private static double RoundStep(double atLeast)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(atLeast)));
        foreach (var factor in (ReadOnlySpan<double>)[1, 2, 2.5, 5])
        {
            if (factor * power >= atLeast * (1 - 1e-9)) return factor * power;
        }
        return 10 * power;
    }
}
