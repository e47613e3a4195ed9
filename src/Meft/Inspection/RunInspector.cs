using System.Text.Json;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.Safetensors;
using Meft.Training.Runs;
using Meft.Training.Runs.Checkpoints;

namespace Meft.Inspection;

/// <summary>Looks at the folders that training leaves.</summary>
internal static class RunInspector
{
    private const string ConfigFile = "config.yaml", MetricsFile = "metrics.jsonl", StateFile = "state.safetensors";

    /// <summary>Whether a folder is a run's.</summary>
    public static bool IsRun(string folder) => File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>Whether a folder is a checkpoint, complete or not.</summary>
    public static bool IsCheckpoint(string folder) =>
        File.Exists(Path.Combine(folder, StateFile)) || Path.GetFileName(Path.GetFullPath(folder)).StartsWith("step-", StringComparison.Ordinal);

    /// <summary>A run's folder.</summary>
    public static PathReport Inspect(string folder)
    {
        var config = RunConfig.Load(Path.Combine(folder, ConfigFile), []);
        var checkpoints = new CheckpointFolder(Path.Combine(folder, RunFolder.CheckpointsName), config.Checkpoint.Keep);
        var (steps, loss) = LastStep(Path.Combine(folder, MetricsFile));
        var result = RunFolder.ResultNames.Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists);
        var facts = new RunFacts(
            config.Model, ChoiceName.Of(config.Method.Kind), config.Method.Kind == MethodKind.Full ? null : config.Method.Rank, steps, loss,
            checkpoints.Steps, result, checkpoints.BestStep);
        return new PathReport
        {
            Kind = PathKind.Run,
            Path = folder,
            Run = facts,
            Remarks = [.. checkpoints.Incomplete.Select(name => $"the checkpoint {name} is incomplete: it is never loaded")],
        };
    }

    /// <summary>A checkpoint.</summary>
    public static PathReport InspectCheckpoint(string folder)
    {
        var report = new PathReport { Kind = PathKind.Checkpoint, Path = folder };
        if (!File.Exists(Path.Combine(folder, CheckpointManifest.FileName)))
            return report with { Remarks = [$"incomplete: it has no {CheckpointManifest.FileName}, so it is never loaded"] };
        var manifest = CheckpointManifest.Read(folder);
        using var state = SafetensorsFile.Open(Path.Combine(folder, StateFile));
        return report with
        {
            Step = manifest.Step,
            Checkpoint = new CheckpointFacts(ChoiceName.Of(manifest.Kind), manifest.BaseStep, manifest.FormatVersion, manifest.Owner, manifest.Progress),
            Tensors = ModelInspector.Tensors(state),
            Files = [FileFacts.Of(state)],
            Remarks = state.ByteLength == manifest.State.Bytes
                ? ["its checksums are verified when it is loaded, and were not here"]
                : [$"damaged: {StateFile} has {state.ByteLength} bytes, its manifest says {manifest.State.Bytes}"],
        };
    }

    /// <summary>The last line of the metrics; a run that was cut short may have a broken one, which does not count.</summary>
    private static (int Steps, double? Loss) LastStep(string path)
    {
        if (!File.Exists(path)) return (0, null);
        (int, double?) last = (0, null);
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                using var json = JsonDocument.Parse(line);
                var loss = json.RootElement.GetProperty("loss");
                last = (json.RootElement.GetProperty("step").GetInt32(), loss.ValueKind == JsonValueKind.Number ? loss.GetDouble() : null);
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return last;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"the metrics cannot be read: {e.Message}", path, null, null, e);
        }
        return last;
    }
}
