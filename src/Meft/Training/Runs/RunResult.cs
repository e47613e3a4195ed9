using System.Text.Json;
using System.Text.Json.Serialization;
using Meft.Core.Metrics;
using Meft.Core.Planning;

namespace Meft.Training.Runs;

/// <summary>What a plan says of what a run's result measures.</summary>
/// <param name="PeakResidentBytes">The most resident bytes of the process.</param>
/// <param name="DeviceBytesPeak">The most device bytes, as the ledger counts them.</param>
/// <param name="StepSeconds">Seconds of a step; null where the machine was not measured.</param>
public sealed record PredictedResult(long PeakResidentBytes, long DeviceBytesPeak, double? StepSeconds)
{
    /// <summary>What a plan says.</summary>
    internal static PredictedResult Of(RunPlan plan) => new(plan.Memory.ResidentBytes, plan.Memory.CountedDeviceBytes, plan.Step?.Seconds);
}

/// <summary>A run's <c>result.json</c>: how it ended. Losses are in nats; a number that there is none of is null.</summary>
public sealed record RunResult
{
    private static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true };

    /// <summary>Steps taken, those before a resume included.</summary>
    public required int Steps { get; init; }

    /// <summary>Whether the run was stopped before its last step.</summary>
    public required bool Interrupted { get; init; }

    /// <summary>Loss of the last step.</summary>
    public double? LastLoss { get; init; }

    /// <summary>Validation loss before the first step.</summary>
    public double? StartValidationLoss { get; init; }

    /// <summary>Validation loss at the end, which is the result's unless <see cref="ResultStep"/> is an earlier step.</summary>
    public double? EndValidationLoss { get; init; }

    /// <summary>The best validation loss after a step.</summary>
    public double? BestValidationLoss { get; init; }

    /// <summary>After how many steps it was measured.</summary>
    public int? BestValidationStep { get; init; }

    /// <summary>Whether the run stopped before its last step because the validation loss did not improve (<c>evaluate.patience</c>).</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>After how many steps the result was taken: the last, or with <c>evaluate.keep_best</c> the best one. Null where there is no result yet.</summary>
    public int? ResultStep { get; init; }

    /// <summary>Wall-clock seconds of the training loop, earlier parts of a resumed run included.</summary>
    public required double Seconds { get; init; }

    /// <summary>The most bytes of the process that were resident at once.</summary>
    public required long PeakResidentBytes { get; init; }

    /// <summary>The most device bytes that the ledger counted.</summary>
    public long? DeviceBytesPeak { get; init; }

    /// <summary>Seconds of a step, mean over those of this part of the run but its first, which is slower.</summary>
    public double? StepSeconds { get; init; }

    /// <summary>Real tokens of all steps.</summary>
    public long? Tokens { get; init; }

    /// <summary>Real tokens a second of the steps, mean over the run.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>What the plan had said, before anything was loaded.</summary>
    public PredictedResult? Predicted { get; init; }

    /// <summary>Whether there was nothing left to do: the run had been finished before.</summary>
    [JsonIgnore]
    public bool WasFinished { get; init; }

    /// <summary>The latest window of the expert load; null for methods without experts and neurons of their own.</summary>
    [JsonIgnore]
    public ExpertLoad? Load { get; init; }

    /// <summary>The folder that holds what was trained; null if it was not finished.</summary>
    [JsonIgnore]
    public string? ResultFolder { get; init; }

    /// <summary>Reads a result; null where there is none that can be read.</summary>
    internal static RunResult? TryRead(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<RunResult>(File.ReadAllText(path), Json) : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The result as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";
}
