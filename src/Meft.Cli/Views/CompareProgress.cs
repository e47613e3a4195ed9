using System.Globalization;
using Meft.Comparisons;
using Meft.Core.Comparisons.Results;
using Meft.Core.Comparisons.Tables;
using Meft.Core.Metrics;
using Meft.Loading;
using Meft.Training;
using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>
/// A comparison as one watches it: a line for each thing that is done and, on a terminal, a last line that is painted over; elsewhere plain lines every
/// few seconds.
/// </summary>
internal sealed class CompareProgress : IComparisonObserver
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);
    private readonly IAnsiConsole _console;
    private readonly TimeProvider _time;
    private readonly StatusContext? _live;
    private long _last;

    private CompareProgress(IAnsiConsole console, StatusContext? live, TimeProvider time)
    {
        (_console, _live, _time) = (console, live, time);
        _last = time.GetTimestamp();
    }

    /// <summary>Does work that tells how it goes on.</summary>
    /// <param name="console">Standard error.</param>
    /// <param name="work">The work.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public static T Run<T>(IAnsiConsole console, Func<IComparisonObserver, T> work, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        return console.Profile.Capabilities is { Ansi: true, Interactive: true }
            ? console.Status().AutoRefresh(true).Start("planning", live => work(new CompareProgress(console, live, clock)))
            : work(new CompareProgress(console, null, clock));
    }

    /// <inheritdoc/>
    public void Planned(ComparisonResult plan)
    {
        var fitting = plan.Methods.Count(method => method.DoesNotFit is null);
        Line($"{plan.Methods.Count} methods planned, {fitting} fit; {plan.TrainingRows:N0} rows, {Seeds(plan.Seeds.Count)}");
        foreach (var method in plan.Methods.Where(method => method.DoesNotFit is not null)) Line($"{method.Name}: {method.DoesNotFit}");
    }

    /// <inheritdoc/>
    public Action<LoadProgress> Loading(string title) => progress => Now($"{title}: loading {LoadingView.Of(progress)}", force: false);

    /// <inheritdoc/>
    public ITrainingObserver Training(string title) => new Steps(this, title);

    /// <inheritdoc/>
    public Action<int, int> Evaluating(string title)
    {
        Now(title, force: false);
        return (done, total) => Now(string.Create(CultureInfo.InvariantCulture, $"{title}: {done:N0} of {total:N0} answered"), force: false);
    }

    /// <inheritdoc/>
    public void Progressed(ComparisonResult result, ComparisonStep step) => Line($"done: {step.Title}{Score(result, step)}");

    /// <inheritdoc/>
    public void Remarked(string text) => Line(text);

    /// <summary>What a run on the held-out split, or a method so far, has reached.</summary>
    private static string Score(ComparisonResult result, ComparisonStep step)
    {
        var method = result.Methods.FirstOrDefault(m => m.Name == step.Method);
        if (step.Tried is { } tried)
            return tried.Score is { } score ? $": {step.TriedFigure!.Label} {ComparisonText.FigureWithUnit(score, step.TriedFigure.Unit)}" : $": {tried.Failure}";
        if (method?.Failure is { } failure) return $": {failure}";
        return method?.Figures is [var figure, ..] ? $": {result.Figures[0].Label} {ComparisonText.FigureWithUnit(figure.Value, result.Figures[0].Unit)}" : "";
    }

    private static string Seeds(int count) => count == 1 ? "one seed" : $"{count} seeds";

    private void Line(string text) => _console.WriteLine(text);

    private void Now(string text, bool force)
    {
        if (_live is not null) _live.Status(Markup.Escape(text));
        else if (force || _time.GetElapsedTime(_last) >= BetweenLines) Line(text);
        else return;
        _last = _time.GetTimestamp();
    }

    /// <summary>The steps of one run.</summary>
    private sealed class Steps(CompareProgress view, string title) : ITrainingObserver
    {
        private readonly RunProgress _progress = new(view._time);

        public void Started(int fromStep, int totalSteps)
        {
            _progress.Start(fromStep, totalSteps);
            view.Now($"{title}: {totalSteps:N0} steps", force: true);
        }

        /// <summary>A comparison has many runs: what each remarks stands in its own report.</summary>
        public void Remarked(string text)
        {
        }

        public void StepTaken(StepMetrics metrics)
        {
            _progress.Take(metrics);
            var left = _progress.Left is { } time ? $" · {StepFigures.Clock(time)} left" : "";
            view.Now(
                string.Create(CultureInfo.InvariantCulture, $"{title}: step {metrics.Step:N0}/{_progress.Total:N0} · loss {_progress.SmoothedLoss:F3} · {StepFigures.Seconds(metrics.Seconds)} s a step{left}"),
                force: false);
        }

        public void Evaluated(int step, double loss)
        {
        }

        public void CheckpointSaved(int step, string folder)
        {
        }
    }
}
