using System.Text.Json;
using Meft.Core.Metrics;

namespace Meft.Reporting;

/// <summary>What a report needs of a step; NaN or nothing where there is no number.</summary>
internal sealed record LoggedStep(
    int Step, double Loss, double ValidationLoss, double GradNorm, double LearningRate, double Tokens, double TrainedTokens, double Seconds, double ActiveRows,
    double DeviceBytesPeak, double HostBytes, IReadOnlyDictionary<string, double> DeviceBytes, IReadOnlyDictionary<string, double> LinkBytes,
    IReadOnlyDictionary<string, double> Phases)
{
    /// <summary>A step as the loop tells it.</summary>
    public static LoggedStep Of(StepMetrics step) => new(
        step.Step, step.Loss, step.ValidationLoss, step.GradNorm, step.LearningRate, step.Tokens, step.TrainedTokens, step.Seconds, step.ActiveRows, step.DeviceBytesPeak,
        step.HostBytes, Numbers(step.DeviceBytesByCause), Numbers(step.LinkBytesByCause), step.Phases);

    /// <summary>All whole lines of a <c>metrics.jsonl</c>, one at a time; lines that are none are left out. Nothing where there is no file.</summary>
    public static IEnumerable<LoggedStep> Read(string path) => File.Exists(path) ? File.ReadLines(path).Select(TryParse).OfType<LoggedStep>() : [];

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
                number, Number("loss"), Number("validation_loss"), Number("grad_norm"), Number("learning_rate"), Number("tokens"), Number("trained_tokens"), Number("seconds"),
                Number("active_rows"), Number("device_bytes_peak"), Number("host_bytes"), Numbers("device_bytes_by_cause"), Numbers("link_bytes_by_cause"),
                Numbers("phases"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the second: a name that is no Unicode
        {
            return null;
        }
    }

    private static Dictionary<string, double> Numbers(IReadOnlyDictionary<string, long> byCause) =>
        byCause.ToDictionary(b => b.Key.Replace(' ', '_'), b => (double)b.Value);
}
