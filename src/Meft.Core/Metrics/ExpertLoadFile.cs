using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Core.Metrics;

/// <summary>A run's <c>experts.jsonl</c>: one <see cref="ExpertLoad"/> a line.</summary>
public sealed class ExpertLoadFile : IDisposable
{
    /// <summary>The file's name within a run folder.</summary>
    public const string Name = "experts.jsonl";

    private readonly StepLinesFile _lines;

    /// <summary>Opens the file to append, or makes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keepThroughStep">Lines of later steps are removed: the step that a resumed run starts from. Null keeps all.</param>
    /// <exception cref="RunFailedException">The file cannot be opened or written.</exception>
    public ExpertLoadFile(string path, int? keepThroughStep = null) => _lines = new StepLinesFile(path, "the expert load", keepThroughStep);

    /// <summary>Appends a window.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public void Write(ExpertLoad load) => _lines.Append(json => WriteObject(json, load));

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();

    /// <summary>All windows of a file; lines that are none are left out. Nothing where there is no file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="throughStep">Windows that end after this step are left out.</param>
    public static IEnumerable<ExpertLoad> Read(string path, int throughStep = int.MaxValue) =>
        File.Exists(path) ? File.ReadLines(path).Select(TryParse).OfType<ExpertLoad>().Where(load => load.Step <= throughStep) : [];

    private static void WriteObject(Utf8JsonWriter json, ExpertLoad load)
    {
        json.WriteStartObject();
        json.WriteNumber("step", load.Step);
        json.WriteNumber("from_step", load.FromStep);
        json.WriteNumber("tokens", load.Tokens);
        json.WriteStartArray("layers");
        foreach (var layer in load.Layers)
        {
            json.WriteStartObject();
            json.WriteNumber("layer", layer.Layer);
            json.WriteNumber("rank", layer.Rank);
            if (double.IsFinite(layer.ActiveRows)) json.WriteNumber("active_rows", layer.ActiveRows);
            else json.WriteNull("active_rows");
            json.WriteNumber("used_rows", layer.UsedRows);
            json.WriteNumber("dead_rows", layer.DeadRows);
            json.WriteNumber("dead_experts", layer.DeadExperts);
            json.WriteStartArray("expert_tokens");
            foreach (var tokens in layer.ExpertTokens) json.WriteNumberValue(tokens);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static ExpertLoad? TryParse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return new ExpertLoad(
                root.GetProperty("step").GetInt32(), root.GetProperty("from_step").GetInt32(), root.GetProperty("tokens").GetInt64(),
                [.. root.GetProperty("layers").EnumerateArray().Select(Layer)]);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static LayerLoad Layer(JsonElement layer)
    {
        var active = layer.GetProperty("active_rows");
        return new LayerLoad(
            layer.GetProperty("layer").GetInt32(), layer.GetProperty("rank").GetInt32(),
            [.. layer.GetProperty("expert_tokens").EnumerateArray().Select(e => e.GetInt64())],
            active.ValueKind == JsonValueKind.Null ? double.NaN : active.GetDouble(),
            layer.GetProperty("used_rows").GetInt32(), layer.GetProperty("dead_rows").GetInt32());
    }
}
