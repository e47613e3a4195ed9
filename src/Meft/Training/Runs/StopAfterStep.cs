using Meft.Core.Metrics;

namespace Meft.Training.Runs;

/// <summary>Asks a loop to stop once it has taken a step, as Ctrl-C would at that moment.</summary>
internal sealed class StopAfterStep : ITrainingObserver, IDisposable
{
    private readonly int _step;
    private readonly ITrainingObserver? _next;
    private readonly CancellationTokenSource _source;

    private StopAfterStep(int step, ITrainingObserver? next, CancellationTokenSource source) => (_step, _next, _source) = (step, next, source);

    /// <summary>Set after the step, and by whatever asks from outside.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>With a token that asks to stop from outside.</summary>
    public static StopAfterStep Linked(int step, ITrainingObserver? next, CancellationToken outer) =>
        new(step, next, CancellationTokenSource.CreateLinkedTokenSource(outer));

    /// <inheritdoc/>
    public void Started(int fromStep, int totalSteps) => _next?.Started(fromStep, totalSteps);

    /// <inheritdoc/>
    public void Remarked(string text) => _next?.Remarked(text);

    /// <inheritdoc/>
    public void StepTaken(StepMetrics metrics)
    {
        _next?.StepTaken(metrics);
        if (metrics.Step >= _step) _source.Cancel();
    }

    /// <inheritdoc/>
    public void Evaluated(int step, double loss) => _next?.Evaluated(step, loss);

    /// <inheritdoc/>
    public void CheckpointSaved(int step, string folder) => _next?.CheckpointSaved(step, folder);

    /// <inheritdoc/>
    public void CheckpointSaved(SavedCheckpoint saved) => _next?.CheckpointSaved(saved);

    /// <inheritdoc/>
    public void PhaseStarted(string phase) => _next?.PhaseStarted(phase);

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();
}
