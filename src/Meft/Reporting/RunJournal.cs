using System.Diagnostics;
using Meft.Adapters;
using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.Reporting.TensorBoard;
using Meft.Training;
using Meft.Training.Runs;
using Meft.Training.Samples;

namespace Meft.Reporting;

/// <summary>
/// Writes down a run as it goes: <c>experts.jsonl</c>, TensorBoard's event file, and <c>report.html</c>, which is written anew after evaluations and
/// checkpoints. Passes on all that it is told.
/// </summary>
/// <param name="folder">The run folder.</param>
/// <param name="usage">How the method uses its rows; null for methods without.</param>
/// <param name="report">The report of a history, in a state.</param>
/// <param name="next">Is told what this is told; null for nobody.</param>
internal sealed class RunJournal(string folder, AdapterUsage? usage, Func<RunHistory, RunState, string> report, ITrainingObserver? next)
    : ITrainingObserver, IDisposable
{
    /// <summary>A report is written anew while the run goes on only where that takes less than this share of the time.</summary>
    private const double MostOfTime = 0.02;

    private readonly RunHistory _history = new();
    private readonly string _samplesPath = Path.Combine(folder, RunFiles.Samples);
    private EventFile? _events;
    private ExpertLoadFile? _loads;
    private int _last, _windowFrom, _samplesWritten;
    private long _samplesLength, _reported;
    private TimeSpan _reportTime;

    /// <summary>What was seen of the run, earlier parts included.</summary>
    public RunHistory History => _history;

    /// <inheritdoc/>
    public void Started(int fromStep, int totalSteps)
    {
        foreach (var step in LoggedStep.Read(Path.Combine(folder, RunFiles.Metrics)).TakeWhile(s => s.Step <= fromStep)) _history.Add(step);
        foreach (var load in ExpertLoadFile.Read(Path.Combine(folder, ExpertLoadFile.Name), fromStep)) _history.Add(load);
        (_last, _windowFrom) = (fromStep, fromStep + 1);
        _samplesWritten = SampleFile.ReadAll(_samplesPath).Count(s => s.Step <= fromStep);
        _events = EventFile.Create(folder, fromStep);
        if (usage is not null) _loads = new ExpertLoadFile(Path.Combine(folder, ExpertLoadFile.Name), fromStep);
        _reported = Stopwatch.GetTimestamp();
        next?.Started(fromStep, totalSteps);
    }

    /// <inheritdoc/>
    public void Remarked(string text) => next?.Remarked(text);

    /// <inheritdoc/>
    public void PhaseStarted(string phase)
    {
        // Before the checkpoint is complete: a run that is resumed from it finds the window's line.
        if (phase == "saving") EndWindow();
        next?.PhaseStarted(phase);
    }

    /// <inheritdoc/>
    public void StepTaken(StepMetrics metrics)
    {
        _last = metrics.Step;
        _history.Add(LoggedStep.Of(metrics));
        _events?.Scalars(metrics.Step, RunEvents.Of(metrics));
        WriteSamples();
        if (double.IsFinite(metrics.ValidationLoss))
        {
            EndWindow();
            RefreshReport();
        }
        next?.StepTaken(metrics);
    }

    /// <inheritdoc/>
    public void Evaluated(int step, double loss)
    {
        if (step == 0)
        {
            _history.Validation.Add(0, loss);
            _events?.Scalars(0, ("loss/validation", loss));
        }
        next?.Evaluated(step, loss);
    }

    /// <inheritdoc/>
    public void CheckpointSaved(int step, string folder)
    {
        RefreshReport();
        next?.CheckpointSaved(step, folder);
    }

    /// <inheritdoc/>
    public void CheckpointSaved(SavedCheckpoint saved)
    {
        RefreshReport();
        next?.CheckpointSaved(saved);
    }

    /// <inheritdoc/>
    public void LargestBatchTried(LargestBatchTrial trial) => next?.LargestBatchTried(trial);

    /// <inheritdoc/>
    public void Sampled(SampledStep samples) => next?.Sampled(samples);

    /// <inheritdoc/>
    public void Stalled(Stall stall) => next?.Stalled(stall);

    /// <summary>The run has ended, or was stopped: writes down what is left.</summary>
    public void End(RunResult result)
    {
        if (result.StartValidationLoss is { } start && !_history.Validation.Bins.Any(b => b.FirstStep == 0)) _history.Validation.Add(0, start);
        EndWindow();
        WriteSamples();
        RunFiles.WriteReport(folder, report(_history, new RunState(result, null)));
    }

    /// <summary>The run has failed: the report says so. Nothing here takes the failure's place.</summary>
    public void Fail(MeftException failure)
    {
        try
        {
            RunFiles.WriteReport(folder, report(_history, new RunState(null, failure.Message)));
        }
        catch (RunFailedException)
        {
            // A disk that is full is the likely cause of both.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _events?.Dispose();
        _loads?.Dispose();
    }

    private void EndWindow()
    {
        if (usage is null || _loads is null || _last < _windowFrom) return;
        var load = usage.Take(_windowFrom, _last);
        _windowFrom = _last + 1;
        _loads.Write(load);
        _history.Add(load);
        _events?.Scalars(load.Step, RunEvents.Of(load));
    }

    /// <summary>Samples are written to their file by those who take them.</summary>
    private void WriteSamples()
    {
        var file = new FileInfo(_samplesPath);
        if (!file.Exists || file.Length == _samplesLength) return;
        _samplesLength = file.Length;
        var samples = SampleFile.ReadAll(_samplesPath);
        foreach (var sample in samples.Skip(_samplesWritten)) _events?.Text(sample.Step, RunEvents.TagOf(sample), RunEvents.Markdown(sample));
        _samplesWritten = Math.Max(_samplesWritten, samples.Count);
    }

    private void RefreshReport()
    {
        if (Stopwatch.GetElapsedTime(_reported) * MostOfTime < _reportTime) return;
        var began = Stopwatch.GetTimestamp();
        RunFiles.WriteReport(folder, report(_history, RunState.Running));
        _reported = Stopwatch.GetTimestamp();
        _reportTime = Stopwatch.GetElapsedTime(began, _reported);
    }
}
