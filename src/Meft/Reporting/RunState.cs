using Meft.Training.Runs;

namespace Meft.Reporting;

/// <summary>How a run stands when its report is written.</summary>
/// <param name="Result">How it ended; null where it has not, or has failed.</param>
/// <param name="Failure">What went wrong; null where nothing has.</param>
internal sealed record RunState(RunResult? Result, string? Failure)
{
    /// <summary>It has not ended.</summary>
    public static RunState Running { get; } = new(null, null);

    /// <summary>A word or a few.</summary>
    public string Name => (Result, Failure) switch
    {
        (_, not null) => "failed",
        (null, _) => "running",
        ({ Interrupted: true }, _) => "stopped before the last step",
        _ => "finished",
    };

    /// <summary>A class of the page's style.</summary>
    public string Style => Failure is not null ? "bad" : Result is null ? "busy" : Result.Interrupted ? "warn" : "good";
}
