using System.Globalization;

namespace Meft.Training;

/// <summary>Work that already takes far longer than it usually does. It goes on; nothing was changed.</summary>
/// <param name="Activity">A step, an evaluation or a checkpoint.</param>
/// <param name="Step">The step that is under way, or after which the work is done.</param>
/// <param name="Phase">The phase of a step; empty where there is none.</param>
/// <param name="Elapsed">Since the work began.</param>
/// <param name="PhaseElapsed">Since the phase began.</param>
/// <param name="Median">What such work took before.</param>
public sealed record Stall(Activity Activity, int Step, string Phase, TimeSpan Elapsed, TimeSpan PhaseElapsed, TimeSpan Median)
{
    /// <summary>What to tell a user: what takes long, how long, and what may be the cause.</summary>
    public override string ToString()
    {
        var (what, usual) = Activity switch
        {
            Activity.Step => ($"step {Step}", "step"),
            Activity.Evaluation => ($"the evaluation after step {Step}", "evaluation"),
            _ => ($"the checkpoint of step {Step}", "checkpoint"),
        };
        var phase = Phase.Length == 0 ? "" : $", and is in its {Phase} phase for {Seconds(PhaseElapsed)}";
        return $"{what} has taken {Seconds(Elapsed)} so far, more than {Watchdog.Times} times the median {usual} of {Seconds(Median)}{phase}; {Cause}";
    }

    private string Cause => (Activity, Phase) switch
    {
        (Activity.Checkpoint, _) => "is the disk slow, nearly full or on a network?",
        (_, "data") => "is the disk that holds the rows slow or on a network?",
        _ => "is memory being swapped to disk, does another program use the processor or the card, or has the machine slept?",
    };

    private static string Seconds(TimeSpan time) =>
        time.TotalSeconds.ToString(time.TotalSeconds < 1 ? "0.###" : time.TotalSeconds < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + " s";
}

/// <summary>What a training loop is at.</summary>
public enum Activity
{
    /// <summary>A step, the reading of its rows included.</summary>
    Step,

    /// <summary>The validation loss and samples.</summary>
    Evaluation,

    /// <summary>Saving, or waiting for what is being saved.</summary>
    Checkpoint,
}
