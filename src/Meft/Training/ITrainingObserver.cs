using Meft.Core.Metrics;

namespace Meft.Training;

/// <summary>Is told what a training loop does, in order, on the loop's own thread.</summary>
public interface ITrainingObserver
{
    /// <summary>The loop begins.</summary>
    /// <param name="fromStep">Steps already taken, 0 for a new run.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    void Started(int fromStep, int totalSteps);

    /// <summary>Something that the user should know and that stops nothing.</summary>
    void Remarked(string text);

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

    /// <summary>A checkpoint is complete.</summary>
    void CheckpointSaved(int step, string folder);
}
