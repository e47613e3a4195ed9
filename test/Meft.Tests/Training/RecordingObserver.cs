using Meft.Core.Metrics;
using Meft.Training;
using Meft.Training.Samples;

namespace Meft.Tests.Training;

/// <summary>Keeps what a loop reports, and does something after each step where asked.</summary>
internal sealed class RecordingObserver(Action<int>? afterStep = null) : ITrainingObserver
{
    public List<StepMetrics> Steps { get; } = [];

    public List<string> Remarks { get; } = [];

    public List<(int Step, double Loss)> Evaluations { get; } = [];

    public List<LargestBatchTrial> Trials { get; } = [];

    public List<SampledStep> Samples { get; } = [];

    public List<Stall> Stalls { get; } = [];

    public void Started(int fromStep, int totalSteps)
    {
    }

    public void Remarked(string text) => Remarks.Add(text);

    public void LargestBatchTried(LargestBatchTrial trial) => Trials.Add(trial);

    public void StepTaken(StepMetrics metrics)
    {
        Steps.Add(metrics);
        afterStep?.Invoke(metrics.Step);
    }

    public void Evaluated(int step, double loss) => Evaluations.Add((step, loss));

    public void Sampled(SampledStep samples) => Samples.Add(samples);

    public void CheckpointSaved(int step, string folder)
    {
    }

    public void Stalled(Stall stall) => Stalls.Add(stall);
}
