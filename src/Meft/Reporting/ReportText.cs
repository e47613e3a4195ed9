using System.Globalization;
using System.Net;

namespace Meft.Reporting;

/// <summary>Numbers and texts as a report writes them.</summary>
internal static class ReportText
{
    /// <summary>A text as HTML.</summary>
    public static string Html(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A text with numbers in the invariant culture.</summary>
    public static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Bytes with a binary unit.</summary>
    public static string Bytes(double bytes)
    {
        var (unit, name) = bytes >= 1L << 30 ? (1L << 30, "GiB") : bytes >= 1L << 20 ? (1L << 20, "MiB") : bytes >= 1 << 10 ? (1L << 10, "KiB") : (1L, "B");
        var value = bytes / unit;
        return value < 10 ? Invariant($"{value:0.##} {name}") : value < 100 ? Invariant($"{value:0.#} {name}") : Invariant($"{value:0} {name}");
    }

    /// <summary>A share as percent.</summary>
    public static string Percent(double share) => Math.Abs(share) >= 0.1 ? Invariant($"{share * 100:0.#} %") : Invariant($"{share * 100:0.##} %");

    /// <summary>A short time in seconds, to three digits or so.</summary>
    public static string Seconds(double seconds) =>
        seconds is > 0 and < 1e-4 ? Invariant($"{seconds:0.#e-0}")
        : seconds < 0.1 ? Invariant($"{seconds:0.####}")
        : seconds < 1 ? Invariant($"{seconds:0.###}")
        : seconds < 10 ? Invariant($"{seconds:0.##}")
        : Invariant($"{seconds:N0}");

    /// <summary>A long time: <c>3 h 05 min</c>, <c>12 min 31 s</c>, <c>42.1 s</c>.</summary>
    public static string Duration(double seconds) =>
        seconds < 60 ? Invariant($"{seconds:0.0} s")
        : seconds < 3600 ? Invariant($"{Math.Floor(seconds / 60):0} min {Math.Floor(seconds % 60):00} s")
        : Invariant($"{Math.Floor(seconds / 3600):0} h {Math.Floor(seconds / 60) % 60:00} min");
}
