using System.Globalization;
using System.Net;
using System.Text;
using Meft.Core.Metrics;

namespace Meft.Reporting;

/// <summary>A curve of a chart.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Bins">Its numbers by step.</param>
/// <param name="Marked">Whether to mark each point.</param>
internal sealed record Curve(string Name, IReadOnlyList<SeriesBin> Bins, bool Marked = false);

/// <summary>A line chart over steps as inline SVG, coloured by the page's style; the page's script shows numbers under the pointer.</summary>
internal static class LineChart
{
    public const int Width = 640, Height = 260;
    private const int Left = 68, Right = 14, Top = 14, Bottom = 32;

    /// <summary>A chart; empty where there is nothing to draw. Where steps share a point, their range is shaded behind it.</summary>
    /// <param name="title">What is shown, for those who cannot see it.</param>
    /// <param name="format">Numbers of the axis and of the pointer; null for plain ones.</param>
    /// <param name="fromZero">Whether zero is to be seen.</param>
    /// <param name="curves">The curves.</param>
    public static string Svg(string title, Func<double, string>? format, bool fromZero, params IReadOnlyList<Curve> curves)
    {
        var drawn = curves.Where(c => c.Bins.Count > 0).ToList();
        if (drawn.Count == 0) return "";
        format ??= Axis.Label;
        var all = drawn.SelectMany(c => c.Bins).ToList();
        var steps = Axis.OverSteps(all.Min(b => b.FirstStep), all.Max(b => b.LastStep), about: 6);
        var values = Axis.Over(all.Min(b => b.Mean), all.Max(b => b.Mean), about: 5, mayBeLogarithmic: !fromZero, fromZero);
        double X(double step) => Left + (steps.Place(step) * (Width - Left - Right));
        double Y(double value) => Height - Bottom - (Math.Clamp(values.Place(value), 0, 1) * (Height - Top - Bottom));

        var svg = new StringBuilder(Invariant(
            $"<figure class=\"chart\"><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Text(title)}\" data-curves=\"{Text(Data(drawn, X, Y, format))}\">"));
        foreach (var tick in values.Ticks)
        {
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):F1}\" y2=\"{Y(tick):F1}\"/>"));
            svg.Append(Invariant($"<text x=\"{Left - 7}\" y=\"{Y(tick) + 4:F1}\" text-anchor=\"end\">{Text(format(tick))}</text>"));
        }
        foreach (var tick in steps.Ticks)
        {
            var anchor = X(tick) > Width - Right - 16 ? "end" : "middle";
            svg.Append(Invariant($"<text x=\"{X(tick):F1}\" y=\"{Height - 8}\" text-anchor=\"{anchor}\">{Text(Axis.Label(tick))}</text>"));
        }
        for (var i = 0; i < drawn.Count; i++) Append(svg, drawn[i], i, X, Y);
        svg.Append(Invariant($"<line class=\"cross\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/></svg>"));
        if (drawn.Count > 1)
        {
            svg.Append("<figcaption>");
            for (var i = 0; i < drawn.Count; i++) svg.Append(Invariant($"<span class=\"key c{i}\">{Text(drawn[i].Name)}</span>"));
            svg.Append("</figcaption>");
        }
        return svg.Append("</figure>").ToString();
    }

    private static void Append(StringBuilder svg, Curve curve, int colour, Func<double, double> x, Func<double, double> y)
    {
        if (curve.Bins.Any(b => b.Most > b.Least))
        {
            var band = curve.Bins.Select(b => (b.Step, Value: b.Most)).Concat(curve.Bins.Reverse().Select(b => (b.Step, Value: b.Least)));
            svg.Append(Invariant($"<polygon class=\"band c{colour}\" points=\"{Points(band, x, y)}\"/>"));
        }
        svg.Append(Invariant($"<polyline class=\"curve c{colour}\" points=\"{Points(curve.Bins.Select(b => (b.Step, b.Mean)), x, y)}\"/>"));
        if (!curve.Marked && curve.Bins.Count > 1) return;
        foreach (var bin in curve.Bins) svg.Append(Invariant($"<circle class=\"c{colour}\" cx=\"{x(bin.Step):F1}\" cy=\"{y(bin.Mean):F1}\" r=\"3\"/>"));
    }

    /// <summary>For the pointer: of each curve its name and of each point its place and its text.</summary>
    private static string Data(List<Curve> curves, Func<double, double> x, Func<double, double> y, Func<double, string> format) =>
        "[" + string.Join(',', curves.Select(c => $"[{Json(c.Name)},[" + string.Join(',', c.Bins.Select(b =>
            Invariant($"[{x(b.Step):F0},{y(b.Mean):F0},{Json(Steps(b))},{Json(format(b.Mean))}]"))) + "]]")) + "]";

    private static string Steps(SeriesBin bin) =>
        bin.FirstStep == bin.LastStep ? Invariant($"step {bin.FirstStep:N0}") : Invariant($"steps {bin.FirstStep:N0}–{bin.LastStep:N0}");

    private static string Points(IEnumerable<(double Step, double Value)> points, Func<double, double> x, Func<double, double> y) =>
        string.Join(' ', points.Select(p => Invariant($"{x(p.Step):F1},{y(p.Value):F1}")));

    private static string Json(string text) => System.Text.Json.JsonSerializer.Serialize(text);

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
