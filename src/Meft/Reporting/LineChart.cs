using System.Globalization;
using System.Net;
using System.Text;

namespace Meft.Reporting;

/// <summary>A curve of a chart.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Points">x and y; those that are not finite are left out.</param>
/// <param name="Marked">Whether to mark each point.</param>
internal sealed record Curve(string Name, IReadOnlyList<(double X, double Y)> Points, bool Marked = false);

/// <summary>A line chart as inline SVG, coloured by the page's style.</summary>
internal static class LineChart
{
    private const int Width = 640, Height = 240, Left = 56, Right = 12, Top = 12, Bottom = 30, Ticks = 4;

    /// <summary>More points than this are averaged: more cannot be seen.</summary>
    private const int MostPoints = 400;

    /// <summary>The chart; empty where there is nothing to draw.</summary>
    /// <param name="title">What is shown, for those who cannot see it.</param>
    /// <param name="curves">The curves.</param>
    public static string Svg(string title, params Curve[] curves)
    {
        var drawn = curves.Select(c => c with { Points = Thinned([.. c.Points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y))]) })
            .Where(c => c.Points.Count > 0).ToList();
        if (drawn.Count == 0) return "";
        var all = drawn.SelectMany(c => c.Points).ToList();
        var (x0, x1, y0, y1) = (all.Min(p => p.X), all.Max(p => p.X), Math.Min(0, all.Min(p => p.Y)), all.Max(p => p.Y));
        if (x1 <= x0) x1 = x0 + 1;
        if (y1 <= y0) y1 = y0 + 1;
        double X(double x) => Left + ((x - x0) / (x1 - x0) * (Width - Left - Right));
        double Y(double y) => Height - Bottom - ((y - y0) / (y1 - y0) * (Height - Top - Bottom));

        var svg = new StringBuilder(Invariant($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">"));
        for (var i = 0; i <= Ticks; i++)
        {
            var (x, y) = (x0 + ((x1 - x0) * i / Ticks), y0 + ((y1 - y0) * i / Ticks));
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(y):F1}\" y2=\"{Y(y):F1}\"/>"));
            svg.Append(Invariant($"<text x=\"{Left - 6}\" y=\"{Y(y) + 4:F1}\" text-anchor=\"end\">{y:G3}</text>"));
            svg.Append(Invariant($"<text x=\"{X(x):F1}\" y=\"{Height - 8}\" text-anchor=\"middle\">{x:F0}</text>"));
        }
        for (var i = 0; i < drawn.Count; i++)
        {
            var points = string.Join(' ', drawn[i].Points.Select(p => Invariant($"{X(p.X):F1},{Y(p.Y):F1}")));
            svg.Append(Invariant($"<polyline class=\"curve c{i}\" points=\"{points}\"/>"));
            if (!drawn[i].Marked) continue;
            foreach (var (x, y) in drawn[i].Points) svg.Append(Invariant($"<circle class=\"c{i}\" cx=\"{X(x):F1}\" cy=\"{Y(y):F1}\" r=\"3\"/>"));
        }
        svg.Append("</svg><p class=\"legend\">");
        for (var i = 0; i < drawn.Count; i++) svg.Append(Invariant($"<span class=\"c{i}\">{WebUtility.HtmlEncode(drawn[i].Name)}</span> "));
        return svg.Append("over steps</p>").ToString();
    }

    private static List<(double X, double Y)> Thinned(List<(double X, double Y)> points)
    {
        var each = (points.Count + MostPoints - 1) / MostPoints;
        return each <= 1 ? points : [.. points.Chunk(each).Select(part => (part.Average(p => p.X), part.Average(p => p.Y)))];
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
