using static Meft.Core.Configuration.ConfigSchema;

namespace Meft.Core.Configuration;

/// <summary>Settings that are right one by one and wrong together.</summary>
internal static class ConfigContradictions
{
    /// <summary>The endings of files that <c>data.train</c> and <c>data.validation</c> may name.</summary>
    public static readonly IReadOnlyList<string> DataEndings = [".jsonl", ".json", ".csv", ".parquet", ".txt"];

    /// <summary>Every such rule.</summary>
    public static IReadOnlyList<ConfigRule> Rules { get; } =
    [
        new([Probe, Experts, Rank], c => c.Method.Probe > c.Method.Experts
            ? $"{c.Method.Probe} is more than the {c.Method.Experts} experts of method.rank {c.Method.RequestedRank}"
            : null, "at most method.experts"),
        new([MaxSteps, Epochs], c => c is { Epochs: { } epochs, MaxSteps: { } steps }
            ? $"{steps} contradicts epochs: {epochs}; both say when to stop"
            : null, "one of epochs and max_steps"),
        new([Warmup, Schedule], c => c.Schedule.Warmup >= 1 && c.Schedule.Warmup != Math.Floor(c.Schedule.Warmup)
            ? $"{c.Schedule.Warmup} is neither a share nor a whole number of steps"
            : null, "a share below 1, or a whole number of steps"),
        new([Warmup], c => c.Schedule.Warmup > int.MaxValue ? $"{c.Schedule.Warmup} steps are out of range" : null, $"at most {int.MaxValue} steps"),
        new([LearningRate, Schedule],
            c => c.Schedule.Kind == ScheduleKind.Polynomial && c.Optimizer.LearningRate <= Schedules.LearningRateSchedule.PolynomialEnd
                ? $"{c.Optimizer.LearningRate} is not above the rate that schedule.kind: polynomial ends with"
                : null, $"above {Schedules.LearningRateSchedule.PolynomialEnd}"),
        new([Quantize, Kind], c => c.Method.Kind == MethodKind.Full && c.Quantize != Quantization.None
            ? $"{ChoiceName.Of(c.Quantize)} contradicts method.kind: full, which trains the base itself"
            : null, "none with method.kind: full"),
        new([Base, Kind], c => c.Method.Kind == MethodKind.Full && c.Base == BasePlacement.Streamed
            ? "streamed contradicts method.kind: full, which trains the layers that would wait in host memory"
            : null, "auto | resident with method.kind: full"),
        new([Recompute, Base], c => c.Recompute == RecomputeMode.Off && c.Base == BasePlacement.Streamed
            ? "off contradicts base: streamed, whose layers do not stay for the backward pass"
            : null, "auto | on with base: streamed"),
        new([Train], c => UnknownEnding(c.Data.Train), string.Join(' ', DataEndings)),
        new([Train], c => c.Data.TrainWeights.Count > 0 ? Repeated(c.Data.Train) : null, "each file once where files have weights"),
        new([Packing, GroupByLength], c => c.Data is { Packing: true, GroupByLength: true }
            ? "rows that are packed are not grouped by length: bins are all about full"
            : null, "one of data.packing and data.group_by_length"),
        new([Validation], c => UnknownEnding(c.Data.Validation), string.Join(' ', DataEndings)),
    ];

    private static string? Repeated(IEnumerable<string> files) =>
        files.GroupBy(f => f, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } file
            ? $"'{Path.GetFileName(file.Key)}' stands {file.Count()} times in a list with weights; give it one weight"
            : null;

    private static string? UnknownEnding(IEnumerable<string> files) =>
        files.FirstOrDefault(f => !DataEndings.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase)) is { } file
            ? $"'{Path.GetFileName(file)}' has an ending that is not known"
            : null;
}
