using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.Core.Storage;

namespace Meft.Training.Runs;

/// <summary>What to do with an output folder that is there already.</summary>
public enum ExistingRun
{
    /// <summary>Refuse: a run is never overwritten by accident.</summary>
    Refuse,

    /// <summary>Go on from its newest complete checkpoint.</summary>
    Resume,

    /// <summary>Remove it and start anew.</summary>
    Overwrite,
}

/// <summary>The folder of a run: resolved config, manifest, metrics, checkpoints, result.</summary>
public sealed class RunFolder
{
    private const string ConfigFileName = "config.yaml";
    private const string ManifestFileName = "manifest.json";
    private const string MetricsFileName = "metrics.jsonl";

    private RunFolder(string path, int keep)
    {
        Path = path;
        Checkpoints = new CheckpointFolder(System.IO.Path.Combine(path, "checkpoints"), keep);
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Its checkpoints.</summary>
    public CheckpointFolder Checkpoints { get; }

    /// <summary>Where an adapter goes when training is done.</summary>
    public string AdapterPath => System.IO.Path.Combine(Path, "adapter");

    /// <summary>Where a fine-tuned base goes when training is done.</summary>
    public string ModelPath => System.IO.Path.Combine(Path, "model");

    /// <summary>Refuses an output folder that cannot be used, before anything is loaded; changes nothing.</summary>
    /// <exception cref="InvalidInputException">The folder exists and may not be touched, or is no run that could be resumed.</exception>
    public static void Check(RunConfig config, ExistingRun existing)
    {
        var path = config.Output;
        if (File.Exists(path)) throw new InvalidInputException("the output is a file, not a folder", path, "a folder that need not exist yet", "change output");
        var occupied = Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any();
        var isRun = File.Exists(System.IO.Path.Combine(path, ConfigFileName));
        switch (existing)
        {
            case ExistingRun.Refuse when occupied:
                throw new InvalidInputException(
                    "the output folder exists and is not empty", path, "a new or empty folder",
                    isRun ? "use --resume to go on, --overwrite to start anew, or change output" : "change output");
            case ExistingRun.Overwrite when occupied && !isRun:
                throw new InvalidInputException(
                    $"the output folder is not a run (it has no {ConfigFileName}), so --overwrite does not remove it", path, null, "change output");
            case ExistingRun.Resume when !isRun:
                throw new InvalidInputException(
                    $"there is no run to resume: no {ConfigFileName}", path, "the output folder of a run", "leave --resume away to start one");
            case ExistingRun.Resume:
                RequireSameConfig(config);
                break;
        }
    }

    /// <summary>Makes the folder ready, or takes up the one that is there.</summary>
    /// <exception cref="InvalidInputException">As <see cref="Check"/>.</exception>
    /// <exception cref="RunFailedException">The folder cannot be written.</exception>
    public static RunFolder Open(RunConfig config, ExistingRun existing)
    {
        Check(config, existing);
        try
        {
            if (existing == ExistingRun.Overwrite && Directory.Exists(config.Output)) Directory.Delete(config.Output, recursive: true);
            Directory.CreateDirectory(config.Output);
            if (existing != ExistingRun.Resume)
                AtomicFile.WriteAllText(System.IO.Path.Combine(config.Output, ConfigFileName), config.ToYaml());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"the output folder cannot be written: {e.Message}", config.Output, null, "change output or its permissions", e);
        }
        return new RunFolder(config.Output, config.Checkpoint.Keep);
    }

    /// <summary>Writes <c>manifest.json</c>.</summary>
    public void WriteManifest(RunManifest manifest) =>
        AtomicFile.WriteAllText(System.IO.Path.Combine(Path, ManifestFileName), manifest.ToJson());

    /// <summary>Writes <c>result.json</c>.</summary>
    public void WriteResult(RunResult result) =>
        AtomicFile.WriteAllText(System.IO.Path.Combine(Path, "result.json"), result.ToJson());

    /// <summary>Opens <c>metrics.jsonl</c> to append; lines of steps after <paramref name="fromStep"/> are those of a run cut short and go.</summary>
    internal MetricsWriter OpenMetrics(int fromStep) => new(System.IO.Path.Combine(Path, MetricsFileName), fromStep);

    private static void RequireSameConfig(RunConfig config)
    {
        var before = Comparable(RunConfig.Load(System.IO.Path.Combine(config.Output, ConfigFileName), []));
        var now = Comparable(config);
        var differing = before.Zip(now).FirstOrDefault(pair => pair.First != pair.Second);
        if (before.Length == now.Length && differing == default) return;
        throw new InvalidInputException(
            $"the run was started with `{differing.First?.Trim()}` and the config now says `{differing.Second?.Trim()}`",
            config.Output, "the same config, but for checkpoint, evaluate and budget", "restore the config, or start another run in another output");
    }

    /// <summary>The settings that decide the numbers, as lines of YAML.</summary>
    private static string[] Comparable(RunConfig config) =>
        (config with { Checkpoint = new(), Evaluate = new(), Budget = new() }).ToYaml().Split('\n');
}
