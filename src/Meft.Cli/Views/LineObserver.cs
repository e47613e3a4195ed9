using Meft.Core.Metrics;
using Meft.Training;
using Meft.Training.Runs;

namespace Meft.Cli.Views;

/// <summary>A run off a terminal: plain lines, never taken back, one every few seconds.</summary>
/// <param name="line">Writes a line.</param>
/// <param name="time">The clock.</param>
internal sealed class LineObserver(Action<string> line, TimeProvider time) : ITrainingObserver
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);
    private readonly RunProgress _progress = new(time);
    private long _last = time.GetTimestamp();
    private bool _any;

    /// <inheritdoc/>
    public void Started(int fromStep, int totalSteps) => _progress.Start(fromStep, totalSteps);

    /// <inheritdoc/>
    public void Remarked(string text) => line(text);

    /// <inheritdoc/>
    public void PhaseStarted(string phase)
    {
        _progress.Begin(phase);
        if (time.GetElapsedTime(_last) < BetweenLines) return;
        // A step that takes longer than a line may: at least what it is at.
        _last = time.GetTimestamp();
        line(phase is "evaluating" or "saving" ? $"step {_progress.Step:N0}/{_progress.Total:N0} · {phase}" : $"step {_progress.Step + 1:N0}/{_progress.Total:N0} · {phase} begins");
    }

    /// <inheritdoc/>
    public void StepTaken(StepMetrics metrics)
    {
        _progress.Take(metrics);
        if (_any && metrics.Step < _progress.Total && time.GetElapsedTime(_last) < BetweenLines) return;
        (_any, _last) = (true, time.GetTimestamp());
        line(StepFigures.Line(_progress));
    }

    /// <inheritdoc/>
    public void Evaluated(int step, double loss) => line(RunMessages.Evaluated(step, loss, _progress.Evaluate(step, loss)));

    /// <inheritdoc/>
    public void CheckpointSaved(int step, string folder) => line(RunMessages.Saved(folder));

    /// <inheritdoc/>
    public void CheckpointSaved(SavedCheckpoint saved) => line(RunMessages.Saved(saved));
}
