using System.Text;
using Meft.Core.Planning;
using Meft.Training.Runs;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting;

/// <summary>The parts of a report that set what was measured against what was planned, and show bytes by cause.</summary>
internal static class MemorySection
{
    /// <summary>Where there is no room for words beside bars.</summary>
    private const string Legend = "<p class=\"scale legend\"><span><i class=\"bar plan\"></i>planned</span><span><i class=\"bar\"></i>measured</span></p>";

    /// <summary>Memory against the plan: two bars each, on one scale.</summary>
    public static string Memory(RunPlan plan, RunResult? result, RunHistory history)
    {
        var rows = new List<(string Name, double Planned, double? Measured)>
        {
            ("process, resident at its peak", plan.Memory.ResidentBytes, result?.PeakResidentBytes),
            ("device, as the ledger counts", plan.Memory.CountedDeviceBytes, Peak(history.DeviceBytes.Bins.Select(b => b.Most))),
        };
        var most = rows.Max(r => Math.Max(r.Planned, r.Measured ?? 0));
        var page = new StringBuilder("<table class=\"bars\">");
        foreach (var (name, planned, measured) in rows)
        {
            page.Append($"<tr><td rowspan=\"2\">{Html(name)}</td>{Bar(planned, most, Bytes, "plan", "planned")}</tr>");
            page.Append($"<tr>{(measured is { } bytes ? Bar(bytes, most, Bytes, "", "measured") : "<td class=\"n\">–</td><td>not measured yet</td>")}</tr>");
        }
        page.Append($"</table>{Legend}<h3>As planned, by tier</h3>");
        return page.Append(Tiers(plan)).ToString();
    }

    /// <summary>Seconds a step by phase against the plan.</summary>
    public static string Time(RunPlan plan, RunHistory history)
    {
        var measured = history.PhaseSeconds;
        var planned = plan.Step?.Phases.ToDictionary(p => p.Name, p => p.Seconds) ?? [];
        var names = measured.Keys.Concat(planned.Keys).Distinct().ToList();
        if (names.Count == 0) return "";
        var most = names.Max(n => Math.Max(measured.GetValueOrDefault(n), planned.GetValueOrDefault(n)));
        var page = new StringBuilder("<table class=\"bars\">");
        foreach (var name in names)
        {
            var both = planned.ContainsKey(name);
            page.Append($"<tr><td{(both ? " rowspan=\"2\"" : "")}>{Html(name)}</td>");
            if (both) page.Append($"{Bar(planned[name], most, Seconds, "plan", "planned")}</tr><tr>");
            page.Append($"{Bar(measured.GetValueOrDefault(name), most, Seconds, "", "measured")}</tr>");
        }
        return page.Append($"</table>{(planned.Count > 0 ? Legend : "")}").ToString();
    }

    /// <summary>Bytes by cause with their sum; empty where there are none.</summary>
    public static string Causes(IReadOnlyDictionary<string, double> byCause)
    {
        var total = byCause.Values.Sum();
        if (total <= 0) return "";
        var page = new StringBuilder("<table class=\"bars\">");
        foreach (var (cause, value) in byCause.OrderByDescending(c => c.Value))
            page.Append($"<tr><td>{Html(cause.Replace('_', ' '))}</td>{Bar(value, total, Bytes, "", "")}</tr>");
        return page.Append($"<tr class=\"sum\"><td>together</td><td class=\"n\">{Html(Bytes(total))}</td><td></td></tr></table>").ToString();
    }

    private static string Tiers(RunPlan plan)
    {
        var items = plan.Memory.Items;
        var most = items.Max(i => i.Bytes);
        var page = new StringBuilder("<table class=\"bars\">");
        foreach (var tier in items.GroupBy(i => i.Tier).OrderBy(g => g.Key))
        {
            var limit = tier.Key switch
            {
                MemoryTier.Device => plan.Bounds.DeviceBytes,
                MemoryTier.Host => plan.Bounds.HostBytes,
                _ => (long?)null,
            };
            var sum = tier.Sum(i => (double)i.Bytes);
            page.Append($"<tr class=\"sum\"><td>{tier.Key.ToString().ToLowerInvariant()}</td><td class=\"n\">{Bytes(sum)}</td><td>{(limit is { } bytes ? $"of {Bytes(bytes)}" : "")}</td></tr>");
            foreach (var item in tier.OrderByDescending(i => i.Bytes)) page.Append($"<tr><td class=\"in\">{Html(item.Cause)}</td>{Bar(item.Bytes, most, Bytes, "", "")}</tr>");
        }
        return page.Append("</table>").ToString();
    }

    private static string Bar(double value, double most, Func<double, string> format, string style, string name) =>
        Invariant($"<td class=\"n\">{Html(format(value))}</td><td><div class=\"bar {style}\" style=\"width:{(most > 0 ? value / most * 65 : 0):F1}%\"></div><small>{name}</small></td>");

    private static double? Peak(IEnumerable<double> values) => values.DefaultIfEmpty(double.NaN).Max() is var most && double.IsFinite(most) ? most : null;
}
