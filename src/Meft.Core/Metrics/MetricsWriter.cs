using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Core.Metrics;

/// <summary>Appends steps to a <c>metrics.jsonl</c> file, each as one flushed line, so that a killed run keeps what it wrote.</summary>
public sealed class MetricsWriter : IDisposable
{
    private const string What = "the metrics";
    private readonly StepLinesFile _lines;

    /// <summary>Opens the file, or makes it. A last line that was cut off by a crash is removed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keepThroughStep">Lines of later steps are removed: the step that a resumed run starts from. Null keeps all.</param>
    /// <exception cref="RunFailedException">The file cannot be opened or written.</exception>
    public MetricsWriter(string path, int? keepThroughStep = null) => _lines = new StepLinesFile(path, What, keepThroughStep);

    /// <param name="path">The file's name, for errors.</param>
    /// <param name="file">The file, at the end of its last whole line; without a buffer, which would try to write once more when closed.</param>
    internal MetricsWriter(string path, Stream file) => _lines = new StepLinesFile(path, What, file);

    /// <summary>The file.</summary>
    public string Path => _lines.Path;

    /// <summary>Appends a step's line. Where that fails, the part of it that was written is removed again.</summary>
    /// <exception cref="RunFailedException">The file cannot be written, for example because the disk is full.</exception>
    public void Write(StepMetrics step) => _lines.Append(json => WriteObject(json, step));

    /// <summary>Closes the file; never fails, since every line was written before.</summary>
    public void Dispose() => _lines.Dispose();

    private static void WriteObject(Utf8JsonWriter json, StepMetrics step)
    {
        json.WriteStartObject();
        json.WriteNumber("step", step.Step);
        WriteFinite(json, "epoch", step.Epoch);
        WriteFinite(json, "loss", step.Loss);
        WriteFinite(json, "learning_rate", step.LearningRate);
        WriteFinite(json, "grad_norm", step.GradNorm);
        json.WriteNumber("tokens", step.Tokens);
        json.WriteNumber("trained_tokens", step.TrainedTokens);
        WriteFinite(json, "seconds", step.Seconds);
        WriteFinite(json, "tokens_per_second", step.TokensPerSecond);
        json.WriteNumber("device_bytes_peak", step.DeviceBytesPeak);
        json.WriteNumber("host_bytes", step.HostBytes);
        json.WriteNumber("host_to_device_bytes", step.HostToDeviceBytes);
        json.WriteNumber("device_to_host_bytes", step.DeviceToHostBytes);
        WriteFinite(json, "active_rows", step.ActiveRows);
        WriteBytes(json, "device_bytes_by_cause", step.DeviceBytesByCause);
        WriteBytes(json, "link_bytes_by_cause", step.LinkBytesByCause);
        if (step.Attempts > 1) json.WriteNumber("attempts", step.Attempts);
        if (!double.IsNaN(step.ValidationLoss)) WriteFinite(json, "validation_loss", step.ValidationLoss);
        if (step.Checkpoint is { } checkpoint) WriteCheckpoint(json, checkpoint);
        json.WriteStartObject("phases");
        foreach (var (phase, seconds) in step.Phases) WriteFinite(json, phase, seconds);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteCheckpoint(Utf8JsonWriter json, CheckpointMetrics checkpoint)
    {
        json.WriteStartObject("checkpoint");
        json.WriteNumber("step", checkpoint.Step);
        json.WriteString("kind", checkpoint.Kind);
        json.WriteNumber("bytes", checkpoint.Bytes);
        WriteFinite(json, "held_seconds", checkpoint.HeldSeconds);
        WriteFinite(json, "write_seconds", checkpoint.WriteSeconds ?? double.NaN);
        json.WriteEndObject();
    }

    private static void WriteBytes(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, long> byCause)
    {
        json.WriteStartObject(name);
        foreach (var (cause, bytes) in byCause) json.WriteNumber(cause.Replace(' ', '_'), bytes);
        json.WriteEndObject();
    }

    /// <summary>JSON has no NaN and no infinity; null keeps the line readable and says that there is no number.</summary>
    private static void WriteFinite(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }
}
