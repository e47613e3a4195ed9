using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.Core.Storage;
using Meft.Reporting;
using Meft.Training.Runs.Checkpoints;
using Meft.Training.Samples;

namespace Meft.Training.Runs;

/// <summary>The folder of a run: resolved config, manifest, metrics, checkpoints, result.</summary>
public sealed class RunFolder
{
    internal const string ConfigFileName = "config.yaml";
    internal const string ManifestFileName = "manifest.json";
    internal const string CheckpointsName = "checkpoints";
    private const string AdapterName = "adapter", ModelName = "model";
    private const string ResultFileName = "result.json";
    private const string FailuresName = "failures";

    private RunFolder(string path, CheckpointConfig checkpoints, ICheckpointDisk disk)
    {
        Path = path;
        Checkpoints = new CheckpointFolder(System.IO.Path.Combine(path, CheckpointsName), checkpoints.Keep, checkpoints.Incremental, disk);
    }

    /// <summary>The folders that a result may lie in, whatever was trained.</summary>
    internal static IReadOnlyList<string> ResultNames { get; } = [AdapterName, ModelName];

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Its checkpoints.</summary>
    public CheckpointFolder Checkpoints { get; }

    /// <summary>Where the result of a run in a folder goes: a fine-tuned base is a model folder of its own, an adapter lies beside its base.</summary>
    internal static string ResultFolderOf(string folder, MethodKind kind) => System.IO.Path.Combine(folder, kind == MethodKind.Full ? ModelName : AdapterName);

    /// <summary>Refuses an output folder that cannot be used, before anything is loaded; changes nothing.</summary>
    /// <exception cref="InvalidInputException">The folder exists and may not be touched, or is no run that could be resumed.</exception>
    public static void Check(RunConfig config, ExistingRun existing) => OutputPlace.Require(config, existing);

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
        OutputPlace.RequireRun(path);
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
    internal RunResult? ReadResult() => ResultOf(Path);

    /// <summary>How the run in a folder ended; null where there is none, or it has not.</summary>
    internal static RunResult? ResultOf(string folder) => RunResult.TryRead(System.IO.Path.Combine(folder, ResultFileName));

    /// <summary>
    /// Removes what a run writes, and nothing else that may lie there. Config and manifest stay until they are written anew: a folder in which
    /// this was cut short is still a run, and can be overwritten again.
    /// </summary>
    private static void ClearRun(string path)
    {
        foreach (var name in (string[])[CheckpointsName, .. ResultNames, FailuresName])
        {
            var folder = System.IO.Path.Combine(path, name);
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        foreach (var name in new[] { RunFiles.Samples, ResultFileName, RunFiles.Audit }) File.Delete(System.IO.Path.Combine(path, name));
        RunFiles.Clear(path);
    }

    /// <summary>Removes the half-written files that a process left behind when it was killed.</summary>
    private static void RemoveLeftovers(string path)
    {
        foreach (var folder in ResultNames.Select(name => System.IO.Path.Combine(path, name)).Prepend(path).Where(Directory.Exists))
        {
            foreach (var file in Directory.EnumerateFiles(folder).Where(AtomicFile.IsTemporary)) File.Delete(file);
        }
    }
}
