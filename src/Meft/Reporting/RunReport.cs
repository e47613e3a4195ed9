using System.Text;
using Meft.Core.Configuration;
using Meft.Core.Metrics;
using Meft.Core.Planning;
using Meft.Training.Samples;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting;

/// <summary>
/// A run's <c>report.html</c>: one file without anything outside of it. Curves, expert load, memory and time against the plan, traffic, samples, the data
/// audit, the resolved config. Its size does not grow with the run.
/// </summary>
internal static class RunReport
{
    /// <summary>The page.</summary>
    /// <param name="config">The run's config.</param>
    /// <param name="plan">What was planned.</param>
    /// <param name="history">The run so far.</param>
    /// <param name="state">How it stands.</param>
    /// <param name="folder">The run folder: samples and the data audit are read from it.</param>
    public static string Html(RunConfig config, RunPlan plan, RunHistory history, RunState state, string folder)
    {
        var page = new StringBuilder();
        page.Append($"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{ReportText.Html(Title(config))}</title>");
        page.Append($"<style>{ReportStyle.Css}</style></head><body><header><h1>{ReportText.Html(Title(config))} <span class=\"state {state.Style}\">{ReportText.Html(state.Name)}</span></h1>");
        page.Append($"<p>{ReportText.Html(Method(config, plan))}</p>");
        if (state.Failure is { } failure) page.Append($"<p class=\"failure\">{ReportText.Html(failure)}</p>");
        page.Append($"{Tiles(plan, history, state)}</header><main>");

        Card(page, "Loss", LineChart.Svg(
            "training and validation loss over steps", null, fromZero: false, new Curve("training", history.Loss.Bins), new Curve("validation", history.Validation.Bins, Marked: true)), wide: true);
        Card(page, "Learning rate", LineChart.Svg("learning rate over steps", null, fromZero: true, new Curve("learning rate", history.LearningRate.Bins)));
        Card(page, "Gradient norm before clipping", LineChart.Svg("gradient norm over steps", null, fromZero: false, new Curve("gradient norm", history.GradNorm.Bins)));
        Card(page, "Tokens a second", LineChart.Svg("tokens a second over steps", null, fromZero: true, new Curve("tokens a second", history.TokensPerSecond.Bins)));
        Card(page, "Active rows, mean over layers", LineChart.Svg("active share of rows over steps", Percent, fromZero: true, new Curve("active rows", history.ActiveRows.Bins)));
        Card(page, "Active rows by layer", ExpertSection.ActiveByLayer(history), wide: true);
        Card(page, "Expert load", ExpertSection.Load(history), wide: true);
        Card(page, "Dead experts and neurons", ExpertSection.Dead(history), wide: true);
        Card(page, "Samples, before and after", SampleSection.Html(SampleFile.ReadAll(Path.Combine(folder, RunFiles.Samples))), wide: true);
        Card(page, "Memory against the plan", MemorySection.Memory(plan, state.Result, history), wide: true);
        Card(page, "Memory over the run, MiB", LineChart.Svg(
            "device and host MiB over steps", null, fromZero: true, new Curve("device, peak of a step", MiB(history.DeviceBytes)), new Curve("trained parameters on the host", MiB(history.HostBytes))));
        Card(page, "Seconds a step, by phase", MemorySection.Time(plan, history));
        Card(page, "Device memory at its peak, by cause", MemorySection.Causes(history.DeviceBytesAtPeak));
        Card(page, "Over the link, a step", MemorySection.Causes(history.LinkBytes));
        Card(page, "Data", AuditSection.Html(Path.Combine(folder, RunFiles.Audit)), wide: true);
        Card(page, "Config", $"<pre>{ReportText.Html(config.ToYaml())}</pre>", wide: true);
        return page.Append($"</main><script>{ReportScript.Pointer}</script></body></html>\n").ToString();
    }

    private static string Title(RunConfig config) => $"{ChoiceName.Of(config.Method.Kind)} on {Path.GetFileName(config.Model.TrimEnd('/'))}";

    private static string Method(RunConfig config, RunPlan plan)
    {
        var trained = plan.Method == MethodKind.Full ? "Trained: the base itself" : Invariant($"Trained: {plan.TrainedParameters:N0} parameters beside {plan.BaseParameters:N0} of the base");
        var way = $"base {ChoiceName.Of(plan.Execution.Base)}, {(plan.Execution.Recompute ? "layers recomputed" : "no recompute")}";
        return $"{trained}; {(config.Method.Kind == MethodKind.Meft ? ChoiceName.Of(plan.Execution.Execution) + " travel, " : "")}{way}.";
    }

    private static string Tiles(RunPlan plan, RunHistory history, RunState state)
    {
        var page = new StringBuilder("<div class=\"tiles\">");
        void Tile(string name, string value, string more = "") =>
            page.Append($"<div><small>{ReportText.Html(name)}</small><b>{ReportText.Html(value)}</b><small>{ReportText.Html(more)}</small></div>");
        Tile("steps", Invariant($"{history.LastStep:N0}"), plan.Workload.Steps is { } steps ? Invariant($"of {steps:N0}") : "");
        if (double.IsFinite(history.LastLoss)) Tile("last loss", Invariant($"{history.LastLoss:0.0000}"));
        if (history.Validation.Bins is { Count: > 0 } validation)
            Tile("validation loss", Invariant($"{validation[^1].Mean:0.0000}"), validation.Count > 1 ? Invariant($"from {validation[0].Mean:0.0000}") : "");
        if (history.Seconds > 0) Tile("tokens a second", Invariant($"{history.Tokens / history.Seconds:N0}"), Invariant($"{history.Tokens:N0} tokens"));
        Tile("time", Duration(state.Result?.Seconds ?? history.Seconds), history.Steps > 0 ? $"{Seconds(history.Seconds / history.Steps)} s a step" : "");
        if (state.Result is { } result) Tile("peak memory", Bytes(result.PeakResidentBytes), $"{Bytes(plan.Memory.ResidentBytes)} planned");
        if (history.LatestLoad is { } load && double.IsFinite(load.DeadRows))
        {
            if (double.IsFinite(load.DeadExperts)) Tile("dead experts", Percent(load.DeadExperts), $"{Percent(load.DeadRows)} of neurons never active");
            else Tile("neurons never active", Percent(load.DeadRows));
        }
        return page.Append("</div>").ToString();
    }

    private static List<SeriesBin> MiB(BinnedSeries bytes) =>
        [.. bytes.Bins.Select(b => b with { Mean = b.Mean / (1 << 20), Least = b.Least / (1 << 20), Most = b.Most / (1 << 20) })];

    private static void Card(StringBuilder page, string title, string content, bool wide = false)
    {
        if (content.Length > 0) page.Append($"<section{(wide ? " class=\"wide\"" : "")}><h2>{ReportText.Html(title)}</h2>{content}</section>");
    }
}
