using System.Globalization;
using System.Net;
using System.Text;
using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Training.Runs;

namespace Meft.Reporting;

/// <summary>A run's <c>report.html</c>: one file without anything outside of it; curves, memory and time against the plan, traffic, the resolved config.</summary>
internal static class RunReport
{
    /// <summary>The page.</summary>
    /// <param name="config">The run's config.</param>
    /// <param name="plan">What was planned.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="steps">All steps of the run.</param>
    public static string Html(RunConfig config, RunPlan plan, RunResult result, IReadOnlyList<LoggedStep> steps)
    {
        var page = new StringBuilder();
        page.Append($"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{Text(Title(config))}</title>");
        page.Append($"<style>{ReportStyle.Css}</style></head><body><h1>{Text(Title(config))}</h1>");
        page.Append($"<p>{Text(Outcome(config, plan, result))}</p>");
        Section(page, "Loss", LineChart.Svg(
            "training and validation loss", new Curve("training loss", Points(steps, s => s.Loss)),
            new Curve("validation loss", Points(steps, s => s.ValidationLoss), Marked: true)));
        Section(page, "Learning rate", LineChart.Svg("learning rate", new Curve("learning rate", Points(steps, s => s.LearningRate))));
        Section(page, "Gradient norm before clipping", LineChart.Svg("gradient norm", new Curve("gradient norm", Points(steps, s => s.GradNorm))));
        Section(page, "Active rows, share of R, mean over layers", LineChart.Svg("active rows", new Curve("active rows", Points(steps, s => s.ActiveRows))));
        Section(page, "Memory and time against the plan", Comparison(plan, result, steps));
        Section(page, "Device memory at its peak, by cause", Causes(steps.MaxBy(s => s.DeviceBytesPeak)?.DeviceBytes, Bytes));
        Section(page, "Host and program memory as planned, by cause", Causes(
            plan.Memory.Items.Where(i => i.Tier is not (MemoryTier.Device or MemoryTier.Disk)).GroupBy(i => i.Cause).ToDictionary(g => g.Key, g => (double)g.Sum(i => i.Bytes)), Bytes));
        Section(page, "Over the link, a step (mean)", Causes(Mean(steps, s => s.LinkBytes), Bytes));
        Section(page, "Config", $"<pre>{Text(config.ToYaml())}</pre>");
        return page.Append("</body></html>\n").ToString();
    }

    private static string Title(RunConfig config) => $"{ChoiceName.Of(config.Method.Kind)} on {Path.GetFileName(config.Model.TrimEnd('/'))}";

    private static string Outcome(RunConfig config, RunPlan plan, RunResult result)
    {
        var method = plan.Method == MethodKind.Full ? "the base itself" : Invariant($"{plan.TrainedParameters:N0} parameters beside {plan.BaseParameters:N0} of the base");
        var way = $"{ChoiceName.Of(plan.Execution.Execution)} travel, base {ChoiceName.Of(plan.Execution.Base)}, {(plan.Execution.Recompute ? "recompute" : "no recompute")}";
        var validation = result.StartValidationLoss is { } before && result.EndValidationLoss is { } after
            ? Invariant($" Validation loss {before:F4} before, {after:F4} after.") : "";
        return Invariant($"{result.Steps:N0} steps in {result.Seconds:F1} s{(result.Interrupted ? ", stopped before the last" : "")}; trained: {method}; ")
            + (config.Method.Kind == MethodKind.Meft ? way : way[(way.IndexOf(',') + 2)..]) + "." + validation;
    }

    private static string Comparison(RunPlan plan, RunResult result, IReadOnlyList<LoggedStep> steps)
    {
        var rows = new StringBuilder("<table><tr><th></th><th>predicted</th><th>measured</th></tr>");
        void Row(string name, string predicted, string measured) => rows.Append($"<tr><td>{Text(name)}</td><td>{Text(predicted)}</td><td>{Text(measured)}</td></tr>");
        Row("process, resident at its peak", Bytes(plan.Memory.ResidentBytes), Bytes(result.PeakResidentBytes));
        Row("device, as the ledger counts", Bytes(plan.Memory.CountedDeviceBytes), result.DeviceBytesPeak is { } peak ? Bytes(peak) : "–");
        var measured = Mean(steps.Skip(steps.Count > 1 ? 1 : 0).ToList(), s => s.Phases);
        foreach (var phase in plan.Step?.Phases ?? [])
            Row($"{phase.Name}, seconds a step", Seconds(phase.Seconds), measured.TryGetValue(phase.Name, out var seconds) ? Seconds(seconds) : "–");
        if (plan.Step is { } step) Row("a step", Seconds(step.Seconds), result.StepSeconds is { } mean ? Seconds(mean) : "–");
        return rows.Append("</table>").ToString();
    }

    private static string Causes(IReadOnlyDictionary<string, double>? byCause, Func<double, string> format)
    {
        if (byCause is null || byCause.Count == 0) return "";
        var total = byCause.Values.Sum();
        var rows = new StringBuilder("<table>");
        foreach (var (cause, value) in byCause.OrderByDescending(c => c.Value))
        {
            var share = total > 0 ? value / total : 0;
            rows.Append(Invariant($"<tr><td>{Text(cause.Replace('_', ' '))}</td><td>{Text(format(value))}</td><td class=\"bar\"><div style=\"width:{share * 100:F1}%\"></div></td></tr>"));
        }
        return rows.Append(Invariant($"<tr><td>together</td><td>{Text(format(total))}</td><td></td></tr></table>")).ToString();
    }

    private static Dictionary<string, double> Mean(IReadOnlyList<LoggedStep> steps, Func<LoggedStep, IReadOnlyDictionary<string, double>> of) =>
        steps.SelectMany(s => of(s)).GroupBy(p => p.Key).ToDictionary(g => g.Key, g => g.Sum(p => p.Value) / steps.Count);

    private static List<(double X, double Y)> Points(IReadOnlyList<LoggedStep> steps, Func<LoggedStep, double> of) => [.. steps.Select(s => ((double)s.Step, of(s)))];

    private static void Section(StringBuilder page, string title, string content)
    {
        if (content.Length > 0) page.Append($"<section><h2>{Text(title)}</h2>{content}</section>");
    }

    private static string Bytes(double bytes)
    {
        var (unit, name) = bytes >= 1L << 30 ? (1L << 30, "GiB") : bytes >= 1L << 20 ? (1L << 20, "MiB") : (1L << 10, "KiB");
        return Invariant($"{bytes / unit:0.##} {name}");
    }

    private static string Seconds(double seconds) => Invariant($"{seconds:G3}");

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
