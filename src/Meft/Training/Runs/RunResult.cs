using System.Text.Json;
using System.Text.Json.Serialization;

namespace Meft.Training.Runs;

/// <summary>A run's <c>result.json</c>: how it ended. Losses are in nats; a number that there is none of is null.</summary>
public sealed record RunResult
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Steps taken, those before a resume included.</summary>
    public required int Steps { get; init; }

    /// <summary>Whether the run was stopped before its last step.</summary>
    public required bool Interrupted { get; init; }

    /// <summary>Loss of the last step.</summary>
    public double? LastLoss { get; init; }

    /// <summary>Validation loss before the first step.</summary>
    public double? StartValidationLoss { get; init; }

    /// <summary>Validation loss at the end.</summary>
    public double? EndValidationLoss { get; init; }

    /// <summary>Wall-clock seconds of the training loop, earlier parts of a resumed run included.</summary>
    public required double Seconds { get; init; }

    /// <summary>The most bytes of the process that were resident at once.</summary>
    public required long PeakResidentBytes { get; init; }

    /// <summary>Whether there was nothing left to do: the run had been finished before.</summary>
    [JsonIgnore]
    public bool WasFinished { get; init; }

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
