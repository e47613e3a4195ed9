using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.Core.Storage;
using Meft.Reporting;

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
    private const string ResultFileName = "result.json";
    private const string ReportFileName = "report.html";

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
        var isRun = File.Exists(System.IO.Path.Combine(path, ConfigFileName)) && File.Exists(System.IO.Path.Combine(path, ManifestFileName));
        switch (existing)
        {
            case ExistingRun.Refuse when occupied:
                throw new InvalidInputException(
                    "the output folder exists and is not empty", path, "a new or empty folder",
                    isRun ? "use --resume to go on, --overwrite to start anew, or change output" : "change output");
            case ExistingRun.Overwrite when occupied && !isRun:
                throw new InvalidInputException(
                    $"the output folder is not a run (it lacks {ConfigFileName} or {ManifestFileName}), so --overwrite does not touch it", path, null,
                    "change output");
            case ExistingRun.Overwrite when InputWithin(config) is { } input:
                throw new InvalidInputException(
                    "the run needs this file and it lies in the output folder that --overwrite would clear", input, null, "change output, or move the file");
            case ExistingRun.Resume when !isRun:
                throw new InvalidInputException(
                    $"there is no run to resume: no {ConfigFileName} and {ManifestFileName}", path, "the output folder of a run", "leave --resume away to start one");
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
            if (existing == ExistingRun.Overwrite && Directory.Exists(config.Output)) ClearRun(config.Output);
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

    /// <summary>What travelled in the run that is to be resumed, where the config leaves that open: it goes on as it began. Null where nothing is to be kept.</summary>
    internal static ExecutionKind? ExecutionToKeep(RunConfig config, ExistingRun existing)
    {
        if (existing != ExistingRun.Resume || config.Method.Execution != ExecutionKind.Auto) return null;
        var before = RunManifest.Read(System.IO.Path.Combine(config.Output, ManifestFileName)).Execution;
        return Enum.GetValues<ExecutionKind>().Where(kind => ChoiceName.Of(kind) == before).Select(kind => (ExecutionKind?)kind).FirstOrDefault();
    }

    /// <summary>Writes <c>manifest.json</c>.</summary>
    public void WriteManifest(RunManifest manifest) =>
        AtomicFile.WriteAllText(System.IO.Path.Combine(Path, ManifestFileName), manifest.ToJson());

    /// <summary>Writes <c>audit.json</c>.</summary>
    internal void WriteAudit(RunAudit audit) => AtomicFile.WriteAllText(System.IO.Path.Combine(Path, RunAudit.FileName), audit.ToJson());

    /// <summary>Writes <c>result.json</c>.</summary>
    public void WriteResult(RunResult result) =>
        AtomicFile.WriteAllText(System.IO.Path.Combine(Path, ResultFileName), result.ToJson());

    /// <summary>Writes <c>report.html</c> from the steps of the whole run.</summary>
    internal void WriteReport(Func<IReadOnlyList<LoggedStep>, string> html) => AtomicFile.WriteAllText(
        System.IO.Path.Combine(Path, ReportFileName), html(LoggedStep.ReadAll(System.IO.Path.Combine(Path, MetricsFileName))));

    /// <summary>Opens <c>metrics.jsonl</c> to append; lines of steps after <paramref name="fromStep"/> are those of a run cut short and go.</summary>
    internal MetricsWriter OpenMetrics(int fromStep) => new(System.IO.Path.Combine(Path, MetricsFileName), fromStep);

    /// <summary>The manifest that the run began with.</summary>
    /// <exception cref="InvalidInputException">There is none, or it cannot be read.</exception>
    internal RunManifest ReadManifest() => RunManifest.Read(System.IO.Path.Combine(Path, ManifestFileName));

    /// <summary>How an earlier part of the run ended; null if none has.</summary>
    internal RunResult? ReadResult() => RunResult.TryRead(System.IO.Path.Combine(Path, ResultFileName));

    /// <summary>Removes what a run writes, and nothing else that may lie there.</summary>
    private static void ClearRun(string path)
    {
        foreach (var name in new[] { "checkpoints", "adapter", "model" })
        {
            var folder = System.IO.Path.Combine(path, name);
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        foreach (var name in new[] { MetricsFileName, ResultFileName, RunAudit.FileName, ReportFileName, ManifestFileName, ConfigFileName }) File.Delete(System.IO.Path.Combine(path, name));
    }

    /// <summary>A file or folder that the run reads and that lies within its output; null if none does.</summary>
    private static string? InputWithin(RunConfig config)
    {
        var output = System.IO.Path.TrimEndingDirectorySeparator(config.Output) + System.IO.Path.DirectorySeparatorChar;
        return config.Data.Train.Concat(config.Data.Validation).Append(config.Model).Append(config.Method.Init ?? "")
            .FirstOrDefault(input => input.StartsWith(output, StringComparison.Ordinal));
    }

    private static void RequireSameConfig(RunConfig config)
    {
        var before = Comparable(RunConfig.Load(System.IO.Path.Combine(config.Output, ConfigFileName), []));
        var now = Comparable(config);
        var differing = before.Zip(now).FirstOrDefault(pair => pair.First != pair.Second);
        if (before.Length == now.Length && differing == default) return;
        throw new InvalidInputException(
            $"the run was started with `{differing.First?.Trim()}` and the config now says `{differing.Second?.Trim()}`",
            config.Output, "the same settings, but for checkpoint, evaluate and budget",
            $"name the run's own config, {System.IO.Path.Combine(config.Output, ConfigFileName)}, or start another run in another output, from this "
            + "one's adapter with method.init if you like");
    }

    /// <summary>
    /// The settings that decide the numbers (up to rounding), as lines of YAML. Paths may differ, for a run may have been moved: files are compared by their hashes.
    /// </summary>
    private static string[] Comparable(RunConfig config) => (config with
    {
        Model = "",
        Output = "",
        Data = config.Data with { Train = [], Validation = [] },
        Method = config.Method with { Init = null, Execution = ExecutionKind.Auto },
        Checkpoint = new(),
        Evaluate = new(),
        Budget = new(),
        Base = BasePlacement.Auto,
        Recompute = RecomputeMode.Auto,
    }).ToYaml().Split('\n');
}
