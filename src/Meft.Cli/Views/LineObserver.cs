using Meft.Core.Metrics;
using Meft.Training;
using Meft.Training.Runs;
using Meft.Training.Samples;

namespace Meft.Cli.Views;

/// <summary>
/// A run off a terminal: plain lines, never taken back, one every few seconds. All that is written goes through one lock, whichever thread it comes from.
/// </summary>
/// <param name="line">Writes a line.</param>
/// <param name="time">The clock.</param>
internal sealed class LineObserver(Action<string> line, TimeProvider time) : ITrainingObserver
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly RunProgress _progress = new(time);
    private long _last = time.GetTimestamp();
    private long _lastStep = time.GetTimestamp();
    private bool _any;

    /// <summary>Writes a line; from any thread.</summary>
    public void Line(string text)
    {
        lock (_gate) line(text);
    }

    /// <inheritdoc/>
    public void Started(int fromStep, int totalSteps)
    {
        lock (_gate)
        {
            _progress.Start(fromStep, totalSteps);
            _lastStep = time.GetTimestamp();
        }
    }

    /// <inheritdoc/>
    public void Remarked(string text) => Line(text);

    /// <inheritdoc/>
    public void PhaseStarted(string phase)
    {
        lock (_gate)
        {
            _progress.Begin(phase);
            // Steps tell more than phases do, so a phase has a line only where a step takes longer than a line may.
            if (time.GetElapsedTime(_last) < BetweenLines || time.GetElapsedTime(_lastStep) < BetweenLines) return;
            _last = time.GetTimestamp();
            line(phase is "evaluating" or "saving"
                ? $"step {_progress.Step:N0}/{_progress.Total:N0} · {phase}"
                : $"step {_progress.Step + 1:N0}/{_progress.Total:N0} · {phase} begins");
        }
    }

    /// <inheritdoc/>
    public void StepTaken(StepMetrics metrics)
    {
        lock (_gate)
        {
            _progress.Take(metrics);
            _lastStep = time.GetTimestamp();
            if (_any && metrics.Step < _progress.Total && time.GetElapsedTime(_last) < BetweenLines) return;
            (_any, _last) = (true, time.GetTimestamp());
            line(StepFigures.Line(_progress));
        }
    }

    /// <inheritdoc/>
    public void Evaluated(int step, double loss)
    {
        lock (_gate) line(RunMessages.Evaluated(step, loss, _progress.Evaluate(step, loss)));
    }

    /// <inheritdoc/>
    public void Sampled(SampledStep samples)
    {
        lock (_gate) // nothing comes between its lines
        {
            foreach (var text in samples.Lines()) line(text);
        }
    }

    /// <inheritdoc/>
    public void CheckpointSaved(int step, string folder) => Line(RunMessages.Saved(folder));

    /// <inheritdoc/>
    public void CheckpointSaved(SavedCheckpoint saved) => Line(RunMessages.Saved(saved));
}
