using System.Text;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting;

/// <summary>The part of a report that shows how a sparse adapter is used: experts by load, dead experts and neurons, active rows by layer.</summary>
internal static class ExpertSection
{
    /// <summary>Experts of a layer are shown in so many cells at most.</summary>
    private const int MostCells = 128;

    private static readonly (double UpTo, string Style, string Name)[] Loads =
    [
        (0, "dead", "none"), (0.25, "l1", "under ¼ of the even share"), (0.5, "l2", "¼ to ½"), (1, "l3", "½ to 1"), (2, "l4", "1 to 2 times the even share"),
        (4, "l5", "2 to 4"), (double.PositiveInfinity, "l6", "over 4"),
    ];

    /// <summary>Experts by load, a strip a layer; empty without a router.</summary>
    public static string Load(RunHistory history)
    {
        var layers = history.Layers.Where(l => l.ExpertTokens.Sum() > 0).ToList();
        if (layers.Count == 0) return "";
        var page = new StringBuilder("<p class=\"note\">Each strip is a layer's experts over the whole run, the most probed first; the colour says how many tokens an expert got, "
            + "against an even share. “Dead now” counts experts that no token probed in the latest window");
        if (history.LatestLoad is { } latest) page.Append(Invariant($" (steps {latest.FromStep:N0}–{latest.Step:N0})"));
        page.Append(".</p><div class=\"scroll\"><table class=\"strips\"><tr><th>layer</th><th class=\"wide\">load</th><th class=\"n\">busiest</th><th class=\"n\">dead now</th></tr>");
        foreach (var layer in layers)
        {
            var even = layer.ExpertTokens.Average();
            var dead = layer.Latest!.DeadExperts;
            page.Append(Invariant($"<tr><td>{layer.Layer}</td><td>{Strip(layer, even)}</td><td class=\"n\">{layer.ExpertTokens.Max() / even:0.#}×</td>"));
            page.Append(Invariant($"<td class=\"n\">{dead:N0} of {layer.ExpertTokens.Count:N0}</td></tr>"));
        }
        page.Append("</table></div><p class=\"scale\">");
        foreach (var (_, style, name) in Loads) page.Append($"<span><i class=\"{style}\"></i>{Html(name)}</span>");
        return page.Append("</p>").ToString();
    }

    /// <summary>Dead experts and neurons over the steps.</summary>
    public static string Dead(RunHistory history) => LineChart.Svg(
        "share of dead experts and neurons", Percent, fromZero: true,
        new Curve("experts that no token probed since the window before", history.DeadExperts.Bins, Marked: history.DeadExperts.Bins.Count <= 60),
        new Curve("neurons never active so far", history.DeadRows.Bins, Marked: history.DeadRows.Bins.Count <= 60));

    /// <summary>Active rows by layer over the windows; empty where nothing was counted.</summary>
    public static string ActiveByLayer(RunHistory history)
    {
        var layers = history.Layers.Where(l => l.ActiveRows.Bins.Count > 0).ToList();
        if (layers.Count == 0) return "";
        var most = layers.Max(l => l.ActiveRows.Bins.Max(b => b.Mean));
        var page = new StringBuilder("<p class=\"note\">Share of a layer's rows that are active in a micro-batch, from the first window on the left to the latest on the right.</p>"
            + "<div class=\"scroll\"><table class=\"strips\"><tr><th>layer</th><th class=\"wide\">active rows</th><th class=\"n\">now</th><th class=\"n\">never active</th></tr>");
        foreach (var layer in layers)
        {
            var bins = layer.ActiveRows.Bins;
            var strip = CellStrip.Svg(
                $"active rows of layer {layer.Layer}",
                bins.Select(b => new Cell(1, $"s{(most > 0 ? Math.Min(6, 1 + (int)(b.Mean / most * 6)) : 1)}", $"through step {b.LastStep}: {Percent(b.Mean)}")));
            var latest = layer.Latest!;
            page.Append(Invariant($"<tr><td>{layer.Layer}</td><td>{strip}</td><td class=\"n\">{Percent(bins[^1].Mean)}</td>"));
            page.Append(Invariant($"<td class=\"n\">{latest.DeadRows:N0} of {latest.Rank:N0}</td></tr>"));
        }
        page.Append("</table></div><p class=\"scale\"><span>0</span>");
        for (var i = 1; i <= 6; i++) page.Append(Invariant($"<i class=\"s{i}\"></i>"));
        return page.Append($"<span>&nbsp;{Percent(most)}</span></p>").ToString();
    }

    private static string Strip(LayerHistory layer, double even)
    {
        var sorted = layer.ExpertTokens.OrderDescending().ToArray();
        var each = (sorted.Length + MostCells - 1) / MostCells;
        var cells = new List<Cell>();
        for (var from = 0; from < sorted.Length; from += each)
        {
            var part = sorted.AsSpan(from, Math.Min(each, sorted.Length - from));
            long sum = 0;
            foreach (var tokens in part) sum += tokens;
            var share = sum / (double)part.Length / even;
            var load = Loads.First(l => share <= l.UpTo);
            cells.Add(new Cell(part.Length, load.Style, $"layer {layer.Layer}: {load.Name}"));
        }
        return CellStrip.Svg($"expert load of layer {layer.Layer}", cells);
    }
}
