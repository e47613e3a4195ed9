using Meft.Core.Metrics;
using Meft.Training;
using Meft.Training.Runs;
using Meft.Training.Samples;

namespace Meft.Cli.Views;

/// <summary>Tells somebody after each step how many have been taken, once it has been shown.</summary>
internal sealed class TellingObserver(ITrainingObserver shown, Action<int> afterStep) : ITrainingObserver
{
    /// <inheritdoc/>
    public void Started(int fromStep, int totalSteps) => shown.Started(fromStep, totalSteps);

    /// <inheritdoc/>
    public void Remarked(string text) => shown.Remarked(text);

    /// <inheritdoc/>
    public void PhaseStarted(string phase) => shown.PhaseStarted(phase);

    /// <inheritdoc/>
    public void StepTaken(StepMetrics metrics)
    {
        shown.StepTaken(metrics);
        afterStep(metrics.Step);
    }

    /// <inheritdoc/>
    public void Evaluated(int step, double loss) => shown.Evaluated(step, loss);

    /// <inheritdoc/>
    public void CheckpointSaved(int step, string folder) => shown.CheckpointSaved(step, folder);

    /// <inheritdoc/>
    public void CheckpointSaved(SavedCheckpoint saved) => shown.CheckpointSaved(saved);

    /// <inheritdoc/>
    public void LargestBatchTried(LargestBatchTrial trial) => shown.LargestBatchTried(trial);

    /// <inheritdoc/>
    public void Sampled(SampledStep samples) => shown.Sampled(samples);

    /// <inheritdoc/>
    public void Stalled(Stall stall) => shown.Stalled(stall);
}
