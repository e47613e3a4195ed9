using Meft.Core.Metrics;
using Meft.Training.Samples;

namespace Meft.Training.Runs;

/// <summary>Keeps, of a run's steps, what its plan had predicted, says when nothing is learned any more, and passes everything on.</summary>
internal sealed class StepRecorder(ITrainingObserver? next) : ITrainingObserver
{
    /// <summary>So many steps without any gradient in a row are said.</summary>
    private const int StepsWithoutGradient = 3;

    private double _firstSeconds, _laterSeconds;
    private int _steps, _withoutGradient;
    private bool _attemptsTold;

    /// <summary>The most device bytes of a step; null before the first.</summary>
    public long? DeviceBytesPeak { get; private set; }

    /// <summary>Mean seconds of a step, the first left out where there are others; null before the first.</summary>
    public double? StepSeconds => _steps switch
    {
        0 => null,
        1 => _firstSeconds,
        _ => _laterSeconds / (_steps - 1),
    };

    /// <inheritdoc/>
    public void Started(int fromStep, int totalSteps) => next?.Started(fromStep, totalSteps);

    /// <inheritdoc/>
    public void Remarked(string text) => next?.Remarked(text);

    /// <inheritdoc/>
    public void PhaseStarted(string phase) => next?.PhaseStarted(phase);

    /// <inheritdoc/>
    public void LargestBatchTried(LargestBatchTrial trial) => next?.LargestBatchTried(trial);

    /// <inheritdoc/>
    public void Sampled(SampledStep samples) => next?.Sampled(samples);

    /// <inheritdoc/>
    public void Stalled(Stall stall) => next?.Stalled(stall);

    /// <inheritdoc/>
    public void StepTaken(StepMetrics metrics)
    {
        if (_steps++ == 0) _firstSeconds = metrics.Seconds;
        else _laterSeconds += metrics.Seconds;
        DeviceBytesPeak = Math.Max(DeviceBytesPeak ?? 0, metrics.DeviceBytesPeak);
        next?.StepTaken(metrics);
        if (metrics.Attempts > 1 && !_attemptsTold)
        {
            _attemptsTold = true;
            next?.Remarked(
                $"step {metrics.Step} was computed {metrics.Attempts} times, because gradients were too large for float16; where many steps are (attempts in metrics.jsonl), dtype: bf16 is faster");
        }
        _withoutGradient = metrics.GradNorm == 0 ? _withoutGradient + 1 : 0;
        if (_withoutGradient != StepsWithoutGradient) return;
        next?.Remarked(
            $"warning: no gradient has reached anything that is trained for {StepsWithoutGradient} steps, up to step {metrics.Step}: the run learns nothing any more. "
            + "A learning rate that is too high does this; stop the run and lower optimizer.learning_rate");
    }

    /// <inheritdoc/>
    public void Evaluated(int step, double loss) => next?.Evaluated(step, loss);

    /// <inheritdoc/>
    public void CheckpointSaved(int step, string folder) => next?.CheckpointSaved(step, folder);

    /// <inheritdoc/>
    public void CheckpointSaved(SavedCheckpoint saved) => next?.CheckpointSaved(saved);
}
