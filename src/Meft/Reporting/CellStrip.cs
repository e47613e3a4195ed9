using System.Globalization;
using System.Net;
using System.Text;

namespace Meft.Reporting;

/// <summary>A cell of a strip.</summary>
/// <param name="Width">Its width, in units of the strip.</param>
/// <param name="Style">A class of the page's style.</param>
/// <param name="Tip">What the pointer is told.</param>
internal readonly record struct Cell(double Width, string Style, string Tip);

/// <summary>A row of coloured cells as inline SVG that stretches to the width it is given.</summary>
internal static class CellStrip
{
    /// <summary>The strip; neighbours of one style and tip share a rectangle.</summary>
    public static string Svg(string title, IEnumerable<Cell> cells)
    {
        var merged = new List<Cell>();
        foreach (var cell in cells)
        {
            if (merged.Count > 0 && merged[^1].Style == cell.Style && merged[^1].Tip == cell.Tip)
                merged[^1] = cell with { Width = merged[^1].Width + cell.Width };
            else merged.Add(cell);
        }
        var total = merged.Sum(c => c.Width);
        if (total <= 0) return "";
        var svg = new StringBuilder($"<svg class=\"strip\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{Text(title)}\">");
        double x = 0;
        foreach (var cell in merged)
        {
            var width = 1000 * cell.Width / total;
            svg.Append(string.Create(
                CultureInfo.InvariantCulture, $"<rect class=\"{cell.Style}\" x=\"{x:0.#}\" width=\"{width + 0.3:0.#}\" height=\"10\"><title>{Text(cell.Tip)}</title></rect>"));
            x += width;
        }
        return svg.Append("</svg>").ToString();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
