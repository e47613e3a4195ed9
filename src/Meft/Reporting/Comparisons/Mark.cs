using Meft.Core.Configuration;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting.Comparisons;

/// <summary>A method's mark: shape and colour by what is trained, so that neither alone has to tell.</summary>
internal static class Mark
{
    /// <summary>The class of a kind's colour; null is the base.</summary>
    public static string Style(MethodKind? kind) => kind is { } k ? $"m-{ChoiceName.Of(k)}" : "m-base";

    /// <summary>The shape, about 10 units wide: filled, or hollow for what was not measured.</summary>
    public static string Svg(MethodKind? kind, double x, double y, bool hollow = false) =>
        $"<path class=\"mark {Style(kind)}{(hollow ? " hollow" : "")}\" d=\"{Shape(kind, x, y)}\"/>";

    /// <summary>A picture of its own for a table or a legend.</summary>
    public static string Icon(MethodKind? kind) => $"<svg class=\"icon\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">{Svg(kind, 7, 7)}</svg>";

    private static string Shape(MethodKind? kind, double x, double y) => kind switch
    {
        MethodKind.Meft => Invariant($"M{x - 5:F1} {y:F1}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"),
        MethodKind.Lora => Invariant($"M{x - 4.4:F1} {y - 4.4:F1}h8.8v8.8h-8.8z"),
        MethodKind.Parallel => Invariant($"M{x:F1} {y - 5.6:F1}l5.4 9.6h-10.8z"),
        MethodKind.Full => Invariant($"M{x:F1} {y - 6.2:F1}l5.4 6.2l-5.4 6.2l-5.4 -6.2z"),
        _ => Invariant($"M{x - 1.5:F1} {y - 5.5:F1}h3v4h4v3h-4v4h-3v-4h-4v-3h4z"),
    };
}
