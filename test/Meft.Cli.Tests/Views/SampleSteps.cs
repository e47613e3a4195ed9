using Meft.Core.Metrics;

namespace Meft.Cli.Tests.Views;

/// <summary>Steps with figures that can be told apart.</summary>
internal static class SampleSteps
{
    public static StepMetrics Step(int step, double loss = 2, double activeRows = 0.34) => new()
    {
        Step = step,
        Epoch = 0.5,
        Loss = loss,
        LearningRate = 1e-3,
        GradNorm = 1,
        Tokens = 5000,
        TrainedTokens = 4000,
        Seconds = 1.25,
        HostBytes = 5L << 30,
        DeviceBytesPeak = 512L << 20,
        HostToDeviceBytes = 1 << 20,
        DeviceToHostBytes = 1 << 20,
        ActiveRows = activeRows,
        Phases = new Dictionary<string, double> { ["data"] = 0.0001, ["forward"] = 0.5, ["backward"] = 0.7, ["optimizer"] = 0.0499 },
    };
}
