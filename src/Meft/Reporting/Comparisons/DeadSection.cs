using System.Text;
using Meft.Core.Comparisons.Results;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting.Comparisons;

/// <summary>The part of a comparison's page that shows, by layer, which share of experts and of neurons was never used.</summary>
internal static class DeadSection
{
    private static readonly (double UpTo, string Style, string Name)[] Shares =
        [(0.01, "s1", "up to 1 %"), (0.05, "s2", "5 %"), (0.1, "s3", "10 %"), (0.25, "s4", "25 %"), (0.5, "s5", "50 %"), (double.PositiveInfinity, "s6", "more")];

    /// <summary>Two strips for each method that has experts or neurons; empty where none has.</summary>
    public static string Html(ComparisonResult result)
    {
        var methods = result.Methods.Where(m => m.DeadExperts.Count + m.DeadRows.Count > 0).ToList();
        if (methods.Count == 0) return "";
        var layers = methods.SelectMany(m => m.DeadExperts.Concat(m.DeadRows)).Select(l => l.Layer).Distinct().Order().ToList();
        var page = new StringBuilder(Invariant($"<p class=\"note\">Each strip goes from layer {layers[0]} on the left to layer {layers[^1]} on the right; the colour is the share of a layer's ")
            + "experts that no token probed, and of its neurons that were never active, in the whole run.</p><div class=\"scroll\"><table class=\"strips dead-strips\">"
            + "<tr><th>method</th><th class=\"wide\">dead experts</th><th class=\"n\">mean</th><th class=\"wide\">dead neurons</th><th class=\"n\">mean</th></tr>");
        foreach (var method in methods)
        {
            page.Append($"<tr><td>{Mark.Icon(method.Kind)}{PlotText.Xml(method.Name)}</td>{Strip("experts", method.DeadExperts)}{Strip("neurons", method.DeadRows)}</tr>");

            string Strip(string what, IReadOnlyList<LayerShare> shares)
            {
                if (shares.Count == 0) return "<td></td><td class=\"n\">–</td>";
                var byLayer = shares.DistinctBy(s => s.Layer).ToDictionary(s => s.Layer, s => s.Share);
                var cells = layers.Select(l => byLayer.TryGetValue(l, out var share) ? new Cell(1, Style(share), $"layer {l}: {Percent(share)}") : new Cell(1, "unadapted", $"layer {l}: not adapted"));
                return $"<td>{CellStrip.Svg($"dead {what} of {method.Name} by layer", cells)}</td><td class=\"n\">{Percent(shares.Average(s => s.Share))}</td>";
            }
        }
        page.Append("</table></div><p class=\"scale\">");
        foreach (var (_, style, name) in Shares) page.Append($"<span><i class=\"{style}\"></i>{name}</span>");
        return page.Append("</p>").ToString();
    }

    private static string Style(double share) => Shares.FirstOrDefault(s => share <= s.UpTo, Shares[0]).Style;
}
