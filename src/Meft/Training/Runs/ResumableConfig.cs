using Meft.Core.Configuration;
using Meft.Core.Errors;

namespace Meft.Training.Runs;

/// <summary>Which settings a run may be resumed with.</summary>
internal static class ResumableConfig
{
    /// <summary>
    /// Keys and groups of keys that may be others than at the start. Paths: a run may have been moved, and files are compared by their hashes.
    /// Placement: it decides how a number is computed, not which (docs/resume.md says what the bits then do). The rest: when something is written.
    /// </summary>
    private static readonly string[] MayChange =
    [
        "output", "model", "data.validation", "method.init", "device", "base", "method.execution", "recompute", "check_worst_batch", "budget.", "checkpoint.", "evaluate.",
    ];

    /// <summary>Refuses to go on with settings that would make another run of it.</summary>
    /// <param name="before">The config that the run began with.</param>
    /// <param name="now">The one to go on with.</param>
    /// <param name="ownConfig">The path of the run's own config.</param>
    /// <exception cref="InvalidInputException">Some differ: each is named with both values.</exception>
    public static void Require(RunConfig before, RunConfig now, string ownConfig)
    {
        var differences = ConfigDifference.Between(WithoutPaths(before), WithoutPaths(now)).Where(d => !MayDiffer(d.Key)).ToList();
        if (differences.Count == 0) return;
        var names = differences.Select(d => $"{d.Key} was {d.Before ?? "not in use"} when the run began and is {d.Now ?? "not in use"} now");
        throw new InvalidInputException(
            $"the run cannot go on with other settings: {string.Join("; ", names)}",
            now.Output,
            "the same settings, but for paths, device, base, method.execution, recompute, check_worst_batch, budget, checkpoint and evaluate",
            $"name the run's own config, {ownConfig}, or start another run in another output, from this one's result with method.init if you like");
    }

    /// <summary>Of the files to train on, what is said beside their paths stays.</summary>
    private static RunConfig WithoutPaths(RunConfig config) =>
        config with { Data = config.Data with { Train = [.. config.Data.Train.Select((_, index) => $"file {index + 1}")] } };

    private static bool MayDiffer(string key) =>
        MayChange.Any(allowed => allowed.EndsWith('.') ? key.StartsWith(allowed, StringComparison.Ordinal) : key == allowed);
}
