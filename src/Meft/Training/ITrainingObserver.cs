using Meft.Core.Metrics;
using Meft.Training.Runs;
using Meft.Training.Samples;

namespace Meft.Training;

/// <summary>Is told what a training loop does, in order, on the loop's own thread; <see cref="Stalled"/> alone comes on another.</summary>
public interface ITrainingObserver
{
    /// <summary>The loop begins.</summary>
    /// <param name="fromStep">Steps already taken, 0 for a new run.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    void Started(int fromStep, int totalSteps);

    /// <summary>Something that the user should know and that stops nothing.</summary>
    void Remarked(string text);

    /// <summary>The largest micro-batch was tried before the first step, and fits.</summary>
    void LargestBatchTried(LargestBatchTrial trial) => Remarked(trial.ToString());

    /// <summary>A phase begins: <c>data</c>, <c>forward</c>, <c>backward</c>, <c>optimizer</c>, <c>evaluating</c>, <c>saving</c>.</summary>
    void PhaseStarted(string phase)
    {
        // Of interest to those who show it.
    }

    /// <summary>A step was taken and its line written.</summary>
    void StepTaken(StepMetrics metrics);

    /// <summary>The validation loss was measured.</summary>
    /// <param name="step">After how many steps; 0 before the first.</param>
    /// <param name="loss">Mean over the validation rows' trained tokens, in nats.</param>
    void Evaluated(int step, double loss);

    /// <summary>Prompts were continued.</summary>
    void Sampled(SampledStep samples)
    {
        foreach (var line in samples.Lines()) Remarked(line);
    }

    /// <summary>A checkpoint is complete.</summary>
    void CheckpointSaved(int step, string folder);

    /// <summary>Something takes far longer than usual. Told on another thread, while the loop is at work.</summary>
    void Stalled(Stall stall) => Remarked(stall.ToString());
    /// <summary>A checkpoint is complete: as the other method, with what it took.</summary>
    void CheckpointSaved(SavedCheckpoint saved) => CheckpointSaved(saved.Step, saved.Folder);
}
