using Meft.Core.Machine;
using Meft.Reporting;

namespace Meft.Training.Runs;

/// <summary>Where a part of a run begins, and what the parts before it leave to it.</summary>
/// <param name="FromStep">Steps already taken.</param>
/// <param name="Earlier">How the part before ended; null for the first, or where that was killed.</param>
/// <param name="Progress">The loop's small state in the checkpoint of <paramref name="FromStep"/>; null at 0.</param>
internal sealed record RunStart(int FromStep, RunResult? Earlier, TrainingProgress? Progress)
{
    /// <summary>The beginning of a run.</summary>
    public static RunStart New { get; } = new(0, null, null);

    /// <summary>Whether the run had ended at this step, so that its result is there.</summary>
    public bool HasResult => Earlier is { Interrupted: false } && Earlier.Steps == FromStep;

    /// <summary>Seconds of the loop before: as the earlier part's result says, or, where it was killed without one, of its steps.</summary>
    private double SecondsBefore => FromStep == 0 ? 0 : Earlier?.Steps == FromStep ? Earlier.Seconds : Progress?.Seconds ?? 0;

    /// <summary>The result of the whole run after this part of it.</summary>
    /// <param name="outcome">How its loop ended.</param>
    /// <param name="loopSeconds">Seconds of its loop.</param>
    /// <param name="recorder">What it noted of the steps.</param>
    /// <param name="history">The steps of all parts.</param>
    public RunResult ResultOf(TrainingOutcome outcome, double loopSeconds, StepRecorder recorder, RunHistory history) => new()
    {
        Steps = outcome.Steps,
        Interrupted = outcome.Interrupted,
        LastLoss = Finite(outcome.LastLoss) ?? Progress?.LastLoss,
        StartValidationLoss = Progress?.StartValidationLoss ?? (FromStep > 0 ? Earlier?.StartValidationLoss : Finite(outcome.StartValidationLoss)),
        EndValidationLoss = Finite(outcome.EndValidationLoss),
        BestValidationLoss = outcome.Progress.BestValidationLoss,
        BestValidationStep = outcome.Progress.BestValidationStep,
        StoppedEarly = outcome.StoppedEarly,
        Seconds = loopSeconds + SecondsBefore,
        PeakResidentBytes = Math.Max(ProcessMemory.PeakResidentBytes(), Earlier?.PeakResidentBytes ?? 0),
        DeviceBytesPeak = history.DeviceBytesPeak ?? recorder.DeviceBytesPeak,
        StepSeconds = recorder.StepSeconds ?? Earlier?.StepSeconds,
        Tokens = (long)history.Tokens,
        TokensPerSecond = history.Seconds > 0 ? history.Tokens / history.Seconds : null,
        Load = history.LatestLoad,
    };

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
