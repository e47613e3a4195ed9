using Meft.Cli.CommandLine;
using Meft.Planning;
using Meft.Training;
using Meft.Training.Runs;
using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>A run as one watches it: a panel of a few lines on a terminal, a plain line every few seconds elsewhere.</summary>
/// <param name="console">Where to show it.</param>
/// <param name="afterStep">Told after each step how many have been taken; null for nobody.</param>
/// <param name="time">The clock; null for the system's.</param>
internal sealed class TrainingView(IAnsiConsole console, Action<int>? afterStep = null, TimeProvider? time = null)
{
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
    /// <param name="interruption">What takes Ctrl-C: its answer is shown where the panel does not paint over it. Null for nothing.</param>
    /// <param name="cancellation">What asks the work to stop; shown as soon as it is set.</param>
    public T Watch<T>(Func<ITrainingObserver, T> run, Interruption? interruption, CancellationToken cancellation)
    {
        var clock = time ?? TimeProvider.System;
        if (!console.Profile.Capabilities.Ansi || !console.Profile.Capabilities.Interactive) return run(Told(new LineObserver(Line, clock)));
        var panel = new LivePanel(console, clock, cancellation);
        using var answer = interruption?.AnswerTo(panel.Line, panel.Leave);
        return panel.Show(observer => run(Told(observer)));
    }

    private ITrainingObserver Told(ITrainingObserver observer) => afterStep is null ? observer : new TellingObserver(observer, afterStep);

    private static string Cut(TrainingRun run)
    {
        var (cut, dropped) = (run.TrainingRows.TruncatedRows, run.TrainingRows.DroppedRows);
        return (cut > 0 ? $" ({cut:N0} truncated)" : "") + (dropped > 0 ? $" ({dropped:N0} dropped)" : "");
    }

    private void Line(string text) => console.WriteLine(text);
}
