using System.Diagnostics;
using Meft.Core.Metrics;
using Meft.Loading;
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
    public T Watch<T>(Func<ITrainingObserver, T> run)
    {
        if (!console.Profile.Capabilities.Ansi) return run(new LineObserver(this));
        T result = default!;
        console.Progress()
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => result = run(new BarObserver(this, context.AddTask("starting"))));
        return result;
    }

    private static string Cut(TrainingRun run)
    {
        var (cut, dropped) = (run.TrainingRows.TruncatedRows, run.TrainingRows.DroppedRows);
        return (cut > 0 ? $" ({cut:N0} truncated)" : "") + (dropped > 0 ? $" ({dropped:N0} dropped)" : "");
    }

    private static string Describe(StepMetrics metrics)
    {
        var active = double.IsNaN(metrics.ActiveRows) ? "" : $" · {metrics.ActiveRows:P0} rows active";
        return $"loss {metrics.Loss:F4} · {metrics.TokensPerSecond:N0} tokens/s · {metrics.Seconds:F2} s a step"
            + $" · device {Quantities.Bytes(metrics.DeviceBytesPeak)} · host {Quantities.Bytes(metrics.HostBytes)}{active}";
    }

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
            if (fromStep > 0) view.Line($"resumed after step {fromStep}");
        }

        public void StepTaken(StepMetrics metrics)
        {
            view.Tell(metrics);
            if (metrics.Step > 1 && metrics.Step < _total && Stopwatch.GetElapsedTime(_last) < BetweenLines) return;
            _last = Stopwatch.GetTimestamp();
            view.Line($"step {metrics.Step}/{_total} · {Describe(metrics)}");
        }

        public void Evaluated(int step, double loss) => view.Line($"validation loss after step {step}: {loss:F4}");

        public void CheckpointSaved(int step, string folder) => view.Line($"checkpoint {folder}");
    }

    /// <summary>On a terminal.</summary>
    private sealed class BarObserver(TrainingView view, ProgressTask task) : ITrainingObserver
    {
        public void Started(int fromStep, int totalSteps)
        {
            task.MaxValue = totalSteps;
            task.Value = fromStep;
        }

        public void StepTaken(StepMetrics metrics)
        {
            view.Tell(metrics);
            task.Value = metrics.Step;
            task.Description = Markup.Escape($"{metrics.Step}/{task.MaxValue:F0} · {Describe(metrics)}");
        }

        public void Evaluated(int step, double loss) => view.Line($"validation loss after step {step}: {loss:F4}");

        public void CheckpointSaved(int step, string folder) => view.Line($"checkpoint {folder}");
    }
}
