using Meft.Core.Comparisons.Results;
using Meft.Core.Storage;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting.Comparisons;

/// <summary>What a <see cref="ComparisonPicture"/> sets a figure against.</summary>
public enum PictureAxis
{
    /// <summary>Device memory at its peak, with the budget.</summary>
    DeviceBytes,

    /// <summary>Trained parameters.</summary>
    Parameters,
}

/// <summary>A comparison as one SVG file that stands alone, light or dark as the reader's screen is, for a README.</summary>
public static class ComparisonPicture
{
    private const double Width = 760, Height = 430, Head = 34;

    private const string Style = """
        :root { color-scheme: light dark; --card: #ffffff; --faint: #e2e7ee; --quiet: #5c6879; --ink: #1b2330; }
        @media (prefers-color-scheme: dark) { :root { --card: #181e27; --faint: #2c3543; --quiet: #9aa7b9; --ink: #e5e9f0; } }
        text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--quiet); font-variant-numeric: tabular-nums; } text.title { font-size: 15px; font-weight: 600; fill: var(--ink); }
        text.label { fill: var(--m, var(--quiet)); font-weight: 500; } text.limit { fill: var(--limit); } text.level { fill: var(--m-base); } .grid { stroke: var(--faint); stroke-width: 1; } .paper { fill: var(--card); stroke: var(--faint); }
        """;

    /// <summary>The picture files of a comparison with their texts: each figure that tells what was learnt, the score first, against trained parameters.</summary>
    public static IEnumerable<(string File, string Svg)> Files(ComparisonResult result)
    {
        var names = PlainNames.Of([.. result.Learnt.Select(i => result.Figures[i].Label)], "figure");
        foreach (var (index, name) in result.Learnt.Zip(names))
            yield return (index == 0 ? "score.svg" : $"score-{name}.svg", Svg(result, PictureAxis.Parameters, index));
    }

    /// <summary>The file's text.</summary>
    /// <param name="result">The comparison.</param>
    /// <param name="axis">What the figure is set against.</param>
    /// <param name="index">Which of the comparison's figures; 0 is the score.</param>
    public static string Svg(ComparisonResult result, PictureAxis axis, int index = 0)
    {
        var plot = axis == PictureAxis.Parameters ? ComparisonPlots.ByParameters(result, index) : ComparisonPlots.ByDeviceBytes(result, index);
        var title = plot is null ? "no method has a figure yet" : Invariant($"{plot.Title}, {result.TrainingRows:N0} rows, {result.Model}");
        var (content, height) = plot is null ? ("", 20) : PlotDrawing.Draw(plot, Width - 32, Height);
        return Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height + Head + 16:0.#}\" width=\"{Width}\" role=\"img\" aria-label=\"{PlotText.Xml(title)}\">")
            + $"<style>{PlotText.Xml(ComparisonStyle.Colours + Style + ComparisonStyle.Plot)}</style>"
            + Invariant($"<rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"{Width - 1}\" height=\"{height + Head + 15:0.#}\" rx=\"8\"/>")
            + Invariant($"<text class=\"title\" x=\"16\" y=\"27\">{PlotText.Xml(title)}</text><g transform=\"translate(16 {Head + 6})\">{content}</g></svg>\n");
    }
}
