using System.Text.Json;

namespace Meft.Reporting;

/// <summary>What a report needs of a line of <c>samples.jsonl</c>.</summary>
/// <param name="Step">After how many steps; 0 before the first.</param>
/// <param name="Index">The prompt's index.</param>
/// <param name="Prompt">The prompt.</param>
/// <param name="Text">What was written.</param>
/// <param name="Expected">What the row says; null where it says nothing.</param>
/// <param name="Base">What the base writes; null where that is not known.</param>
internal sealed record LoggedSample(int Step, int Index, string Prompt, string Text, string? Expected, string? Base)
{
    /// <summary>All samples of a file; lines that are none are left out. Nothing where there is no file.</summary>
    public static IReadOnlyList<LoggedSample> ReadAll(string path) =>
        File.Exists(path) ? [.. File.ReadLines(path).Select(TryParse).OfType<LoggedSample>()] : [];

    private static LoggedSample? TryParse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("step", out var step) || !root.TryGetProperty("index", out var index)) return null;
            string? Text(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            return Text("prompt") is { } prompt && Text("text") is { } text
                ? new LoggedSample(step.GetInt32(), index.GetInt32(), prompt, text, Text("expected"), Text("base"))
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
