using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.Core.Storage;
using Meft.Reporting;
using Meft.Training.Runs.Checkpoints;
using Meft.Training.Samples;

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
    private const string ResultFileName = "result.json";
    private const string FailuresName = "failures";

    private RunFolder(string path, CheckpointConfig checkpoints, ICheckpointDisk disk)
    {
        Path = path;
        Checkpoints = new CheckpointFolder(System.IO.Path.Combine(path, "checkpoints"), checkpoints.Keep, checkpoints.Incremental, disk);
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
        var missing = Missing(path);
        var isRun = missing.Count == 0;
        var occupied = isRun || IsOccupied(path);
        switch (existing)
        {
            case ExistingRun.Refuse when occupied:
                throw new InvalidInputException(
                    "the output folder exists and is not empty", path, "a new or empty folder",
                    isRun ? "use --resume to go on, --overwrite to start anew, or change output" : "change output");
            case ExistingRun.Overwrite when occupied && !isRun:
                throw new InvalidInputException(
                    $"the output folder is not a run (it lacks {string.Join(" and ", missing)}), so --overwrite does not touch it", path, null,
                    "change output");
            case ExistingRun.Overwrite when InputWithin(config) is { } input:
                throw new InvalidInputException(
                    "the run needs this file and it lies in the output folder that --overwrite would clear", input, null, "change output, or move the file");
            case ExistingRun.Resume when !isRun:
                throw new InvalidInputException(
                    Directory.Exists(path)
                        ? $"there is no run to resume: {string.Join(" and ", missing)} {(missing.Count == 1 ? "is" : "are")} missing"
                        : "there is no run to resume: the folder does not exist",
                    path, "the output folder of a run", "correct output, or leave --resume away to start a run");
            case ExistingRun.Resume:
                var own = System.IO.Path.Combine(path, ConfigFileName);
                ResumableConfig.Require(RunConfig.Load(own, []), config, own);
                break;
        }
        WritablePlace.Require(path, "the output folder", "change output, or make room and check permissions");
    }

    /// <summary>Makes the folder ready, or takes up the one that is there.</summary>
    /// <param name="config">The run.</param>
    /// <param name="existing">What to do with what is there.</param>
    /// <param name="manifest">What a new run's manifest says; null to write none.</param>
    /// <exception cref="InvalidInputException">As <see cref="Check"/>.</exception>
    /// <exception cref="RunFailedException">The folder cannot be written.</exception>
    public static RunFolder Open(RunConfig config, ExistingRun existing, RunManifest? manifest = null) => Open(config, existing, manifest, new CheckpointDisk());

    /// <summary>As the other overload, with checkpoints on a disk of one's own.</summary>
    internal static RunFolder Open(RunConfig config, ExistingRun existing, RunManifest? manifest, ICheckpointDisk checkpointDisk)
    {
        Check(config, existing);
        var folder = new RunFolder(config.Output, config.Checkpoint, checkpointDisk);
        try
        {
            if (existing == ExistingRun.Overwrite && Directory.Exists(config.Output)) ClearRun(config.Output);
            Directory.CreateDirectory(config.Output);
            RemoveLeftovers(config.Output);
            if (existing == ExistingRun.Resume) return folder;
            // The config comes last: what is killed before it is no run yet, and may be started again.
            if (manifest is not null) folder.WriteManifest(manifest);
            AtomicFile.WriteAllText(System.IO.Path.Combine(config.Output, ConfigFileName), config.ToYaml());
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"the output folder cannot be written: {e.Message}", config.Output, null, "change output or its permissions", e);
        }
    }

    /// <summary>A run that is there, to look at.</summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    internal static RunFolder OpenToRead(string path)
    {
        if (!Directory.Exists(path)) throw new InvalidInputException("there is no such folder", path, "the output folder of a run");
        var missing = Missing(path);
        if (missing.Count > 0)
        {
            throw new InvalidInputException(
                $"the folder is not a run: {string.Join(" and ", missing)} {(missing.Count == 1 ? "is" : "are")} missing", path, "the output folder of a run");
        }
        return new RunFolder(path, new CheckpointConfig { Keep = int.MaxValue }, new CheckpointDisk());
    }

    /// <summary>The config that the run began with.</summary>
    internal RunConfig ReadConfig() => RunConfig.Load(System.IO.Path.Combine(Path, ConfigFileName), []);

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
    internal void WriteAudit(RunAudit audit) => AtomicFile.WriteAllText(System.IO.Path.Combine(Path, RunFiles.Audit), audit.ToJson());
    /// <summary>Adds a part to the manifest: the run goes on, perhaps on other threads.</summary>
    internal void AddPart(RunPart part)
    {
        var manifest = ReadManifest();
        WriteManifest(manifest with { Resumed = [.. manifest.Resumed, part] });
    }

    /// <summary>Writes <c>result.json</c>.</summary>
    public void WriteResult(RunResult result) =>
        AtomicFile.WriteAllText(System.IO.Path.Combine(Path, ResultFileName), result.ToJson());

    /// <summary>The steps of the whole run, as <c>metrics.jsonl</c> has them.</summary>
    internal IEnumerable<LoggedStep> ReadSteps() => LoggedStep.Read(System.IO.Path.Combine(Path, RunFiles.Metrics));

    /// <summary>Opens <c>metrics.jsonl</c> to append; lines of steps after <paramref name="fromStep"/> are those of a run cut short and go.</summary>
    internal MetricsWriter OpenMetrics(int fromStep) => new(System.IO.Path.Combine(Path, RunFiles.Metrics), fromStep);

    /// <summary>The path of <c>samples.jsonl</c>, which is made with its first line; samples of steps after <paramref name="fromStep"/> go.</summary>
    internal string OpenSamples(int fromStep)
    {
        var path = System.IO.Path.Combine(Path, RunFiles.Samples);
        SampleFile.KeepThrough(path, fromStep);
        return path;
    }

    /// <summary>Where the evidence of a step that failed goes; 0 for what was tried before the first.</summary>
    internal string FailurePath(long step) =>
        System.IO.Path.Combine(Path, FailuresName, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"step-{step:D6}"));

    /// <summary>The manifest that the run began with.</summary>
    /// <exception cref="InvalidInputException">There is none, or it cannot be read.</exception>
    internal RunManifest ReadManifest() => RunManifest.Read(System.IO.Path.Combine(Path, ManifestFileName));

    /// <summary>How an earlier part of the run ended; null if none has.</summary>
    internal RunResult? ReadResult() => RunResult.TryRead(System.IO.Path.Combine(Path, ResultFileName));

    /// <summary>
    /// Removes what a run writes, and nothing else that may lie there. Config and manifest stay until they are written anew: a folder in which
    /// this was cut short is still a run, and can be overwritten again.
    /// </summary>
    private static void ClearRun(string path)
    {
        foreach (var name in new[] { "checkpoints", "adapter", "model", FailuresName })
        {
            var folder = System.IO.Path.Combine(path, name);
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        foreach (var name in new[] { RunFiles.Samples, ResultFileName, RunFiles.Audit }) File.Delete(System.IO.Path.Combine(path, name));
        RunFiles.Clear(path);
    }

    /// <summary>The files that make a folder a run and are not there.</summary>
    private static List<string> Missing(string path) =>
        [.. new[] { ConfigFileName, ManifestFileName }.Where(name => !File.Exists(System.IO.Path.Combine(path, name)))];

    /// <summary>Whether anything lies in a folder but what a run that was killed before it began leaves behind.</summary>
    private static bool IsOccupied(string path)
    {
        if (!Directory.Exists(path)) return false;
        var entries = Directory.EnumerateFileSystemEntries(path).Where(e => !AtomicFile.IsTemporary(e)).Select(System.IO.Path.GetFileName).ToList();
        return entries.Count > 0 && !(entries.Contains(RunLock.FileName) && entries.All(e => e is RunLock.FileName or ManifestFileName));
    }

    /// <summary>Removes the half-written files that a process left behind when it was killed.</summary>
    private static void RemoveLeftovers(string path)
    {
        foreach (var folder in new[] { path, System.IO.Path.Combine(path, "adapter"), System.IO.Path.Combine(path, "model") }.Where(Directory.Exists))
        {
            foreach (var file in Directory.EnumerateFiles(folder).Where(AtomicFile.IsTemporary)) File.Delete(file);
        }
    }

    /// <summary>A file or folder that the run reads and that lies within its output; null if none does.</summary>
    private static string? InputWithin(RunConfig config)
    {
        var output = System.IO.Path.TrimEndingDirectorySeparator(config.Output) + System.IO.Path.DirectorySeparatorChar;
        return config.Data.Train.Concat(config.Data.Validation).Append(config.Model).Append(config.Method.Init ?? "")
            .FirstOrDefault(input => input.StartsWith(output, StringComparison.Ordinal));
    }
}
