using System.Text.Json;

namespace Meft.Reporting;

/// <summary>What a report needs of a line of <c>metrics.jsonl</c>; NaN or nothing where the line has no number.</summary>
internal sealed record LoggedStep(
    int Step, double Loss, double ValidationLoss, double GradNorm, double LearningRate, double Seconds, double ActiveRows, double DeviceBytesPeak,
    IReadOnlyDictionary<string, double> DeviceBytes, IReadOnlyDictionary<string, double> LinkBytes, IReadOnlyDictionary<string, double> Phases)
{
    /// <summary>All whole lines of a file; lines that are none are left out.</summary>
    public static IReadOnlyList<LoggedStep> ReadAll(string path)
    {
        if (!File.Exists(path)) return [];
        var steps = new List<LoggedStep>();
        foreach (var line in File.ReadLines(path))
        {
            if (TryParse(line) is { } step) steps.Add(step);
        }
        return steps;
    }

    private static LoggedStep? TryParse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("step", out var step)
                || step.ValueKind != JsonValueKind.Number || !step.TryGetInt32(out var number)) return null;
            double Number(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;
            Dictionary<string, double> Numbers(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object
                ? value.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Number).DistinctBy(p => p.Name).ToDictionary(p => p.Name, p => p.Value.GetDouble())
                : [];
            return new LoggedStep(
                number, Number("loss"), Number("validation_loss"), Number("grad_norm"), Number("learning_rate"), Number("seconds"), Number("active_rows"),
                Number("device_bytes_peak"), Numbers("device_bytes_by_cause"), Numbers("link_bytes_by_cause"), Numbers("phases"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the second: a name that is no Unicode
        {
            return null;
        }
    }
}
