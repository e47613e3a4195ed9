using System.Diagnostics;
using Meft.Core.Metrics;
using Meft.Loading;
using Meft.Planning;
using Meft.Training;
using Meft.Training.Runs;
using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>A run as one watches it: a progress bar on a terminal, a plain line every few seconds elsewhere.</summary>
/// <param name="console">Where to show it.</param>
/// <param name="afterStep">Told after each step how many have been taken; null for nobody.</param>
internal sealed class TrainingView(IAnsiConsole console, Action<int>? afterStep = null)
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);
    private long _lastLoadLine = Stopwatch.GetTimestamp();

    /// <summary>Says, for large models, how far the weights have been read.</summary>
    public void Loading(LoadProgress progress)
    {
        if (Stopwatch.GetElapsedTime(_lastLoadLine) < BetweenLines) return;
        _lastLoadLine = Stopwatch.GetTimestamp();
        Line($"loading {Quantities.Bytes(progress.BytesRead)} of {Quantities.Bytes(progress.TotalBytes)}");
    }

    /// <summary>What the run will take.</summary>
    public void Describe(PlannedRun planned)
    {
        foreach (var line in PlanView.Short(planned)) Line($"plan       {line}");
        foreach (var remark in planned.Remarks) Line($"note       {remark}");
    }

    /// <summary>What will run.</summary>
    public void Describe(TrainingRun run)
    {
        var config = run.Config;
        Line($"model      {config.Model} ({Quantities.Count(run.BaseParameterCount)} parameters, on {run.Device})");
        Line($"method     {config.Method.Kind.ToString().ToLowerInvariant()}, {Quantities.Count(run.TrainedParameterCount)} trained parameters, "
            + $"{Quantities.Bytes(run.HostByteCount)} of host memory before the first step");
        Line($"rows       {run.TrainingRows.Rows.Count:N0} to train on{Cut(run)}, {run.ValidationRowCount:N0} to validate");
        Line($"steps      {run.TotalSteps:N0}, {run.StepsPerEpoch:N0} an epoch");
        Line($"output     {config.Output}");
    }

    /// <summary>Runs something that reports to an observer and shows what it reports.</summary>
    /// <param name="run">The work.</param>
    /// <param name="cancellation">What asks the work to stop; shown as soon as it is set.</param>
    public T Watch<T>(Func<ITrainingObserver, T> run, CancellationToken cancellation)
    {
        if (!console.Profile.Capabilities.Ansi) return run(new LineObserver(this));
        T result = default!;
        console.Progress()
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 20 }, new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask("the first step");
                // The bar is redrawn over whatever else is written, so the answer to Ctrl-C must be part of it.
                using var stopping = cancellation.Register(() => task.Description = "stopping after this step, then saving");
                result = run(new BarObserver(this, task, cancellation));
            });
        return result;
    }

    private static string Cut(TrainingRun run)
    {
        var (cut, dropped) = (run.TrainingRows.TruncatedRows, run.TrainingRows.DroppedRows);
        return (cut > 0 ? $" ({cut:N0} truncated)" : "") + (dropped > 0 ? $" ({dropped:N0} dropped)" : "");
    }

    /// <summary>As much about a step as fits, the most wanted first.</summary>
    private static string Describe(StepMetrics metrics, int width)
    {
        string[] parts =
        [
            $"loss {metrics.Loss:F4}", $"{metrics.TokensPerSecond:N0} tokens/s", $"{metrics.Seconds:F2} s a step",
            $"host {Quantities.Bytes(metrics.HostBytes)}", $"device {Quantities.Bytes(metrics.DeviceBytesPeak)}",
            metrics.Checkpoint is { WriteSeconds: null } saving ? $"saving step {saving.Step}" : "",
            double.IsNaN(metrics.ActiveRows) ? "" : $"{metrics.ActiveRows:P0} rows active",
            $"link {Quantities.Bytes(metrics.HostToDeviceBytes + metrics.DeviceToHostBytes)} a step",
        ];
        var text = "";
        foreach (var part in parts.Where(p => p.Length > 0))
        {
            if (text.Length + part.Length + 3 > width) break;
            text += (text.Length == 0 ? "" : " · ") + part;
        }
        return text;
    }

    private static string Describe(SavedCheckpoint saved) =>
        $"checkpoint {saved.Folder} ({(saved.BaseStep is { } full ? $"changes since step {full}" : "full")}, {Quantities.Bytes(saved.Bytes)} in "
        + $"{saved.WriteSeconds:F1} s, training waited {saved.HeldSeconds:F1} s)";

    private int Width => console.Profile.Width;

    private void Tell(StepMetrics metrics) => afterStep?.Invoke(metrics.Step);

    private void Line(string text) => console.WriteLine(text);

    /// <summary>Off a terminal.</summary>
    private sealed class LineObserver(TrainingView view) : ITrainingObserver
    {
        private long _last;
        private int _total;

        public void Started(int fromStep, int totalSteps)
        {
            _total = totalSteps;
        }

        public void Remarked(string text) => view.Line(text);

        public void StepTaken(StepMetrics metrics)
        {
            view.Tell(metrics);
            if (metrics.Step > 1 && metrics.Step < _total && Stopwatch.GetElapsedTime(_last) < BetweenLines) return;
            _last = Stopwatch.GetTimestamp();
            view.Line($"step {metrics.Step}/{_total} · {Describe(metrics, int.MaxValue)}");
        }

        public void Evaluated(int step, double loss) => view.Line($"validation loss after step {step}: {loss:F4}");

        public void CheckpointSaved(int step, string folder) => view.Line($"checkpoint {folder}");

        public void CheckpointSaved(SavedCheckpoint saved) => view.Line(Describe(saved));
    }

    /// <summary>On a terminal.</summary>
    private sealed class BarObserver(TrainingView view, ProgressTask task, CancellationToken cancellation) : ITrainingObserver
    {
        /// <summary>Columns that spinner, bar, percentage and time left take.</summary>
        private const int Beside = 44;

        public void Started(int fromStep, int totalSteps)
        {
            task.MaxValue = totalSteps;
            task.Value = fromStep;
        }

        public void Remarked(string text) => view.Line(text);

        public void StepTaken(StepMetrics metrics)
        {
            view.Tell(metrics);
            task.Value = metrics.Step;
            if (cancellation.IsCancellationRequested) return;
            var step = $"{metrics.Step}/{task.MaxValue:F0} ";
            task.Description = Markup.Escape(step + Describe(metrics, view.Width - Beside - step.Length));
        }

        public void Evaluated(int step, double loss) => view.Line($"validation loss after step {step}: {loss:F4}");

        public void CheckpointSaved(int step, string folder) => view.Line($"checkpoint {folder}");

        public void CheckpointSaved(SavedCheckpoint saved) => view.Line(Describe(saved));
    }
}
