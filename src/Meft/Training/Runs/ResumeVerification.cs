using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Planning;
using Meft.Loading;
using Meft.Native;

namespace Meft.Training.Runs;

/// <summary>
/// Proves on a run that is there that resuming changes no bit of it. The run's folder is read and never written; what a proof writes goes into a
/// folder of its own, which is removed at the end.
/// </summary>
/// <param name="folder">The run's folder.</param>
/// <param name="options">What to do.</param>
/// <param name="calibrations">Where this machine's speeds are kept; null to plan without seconds.</param>
/// <param name="tell">Told what is done, a line at a time; null for nobody.</param>
/// <param name="loading">Told how far the weights have been read, each time they are; null for nobody.</param>
public sealed class ResumeVerification(
    string folder, ResumeProofOptions options, CalibrationCache? calibrations = null, Action<string>? tell = null, Action<LoadProgress>? loading = null)
{
    private const int MostThreads = 1024;
    private readonly string _folder = Path.GetFullPath(folder);

    /// <summary>Carries the proof out.</summary>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidInputException">
    /// There is no such run, a process is at work on it, its files have changed since, or the options do not fit it.
    /// </exception>
    /// <exception cref="RunFailedException">The proof's own folder cannot be written, or a step failed.</exception>
    /// <exception cref="OperationCanceledException">Asked to stop.</exception>
    public ResumeProof Run(CancellationToken cancellation = default)
    {
        CheckOptions();
        var run = RunFolder.OpenToRead(_folder);
        RunLock.RequireFree(_folder);
        var manifest = run.ReadManifest();
        var pair = options.Steps is null && options.At is null ? PairOf(run.Checkpoints.Steps) : null;
        var parts = pair is { } p ? manifest.PartsBetween(p.From, p.To) : [manifest.Beginning];
        var config = ConfigOf(run, parts[0]);

        var before = ComputeThreads.Chosen;
        var threads = ComputeThreads.Use(options.Threads ?? parts[0].Threads);
        try
        {
            return pair is { } steps
                ? ByCheckpoints(config, run, manifest, parts, steps, threads, cancellation)
                : ByInterruption(config, manifest, parts[0], threads, cancellation);
        }
        finally
        {
            ComputeThreads.Chosen = before;
            ComputeThreads.Use();
        }
    }

    private void CheckOptions()
    {
        if (options.Steps is < 2) throw new InvalidInputException($"--steps is {options.Steps}", null, "2 or more: one before the stop and one after it");
        if (options.Threads is { } threads and (< 1 or > MostThreads)) throw new InvalidInputException($"--threads is {threads}", null, $"1 to {MostThreads}");
        if (options.At is < 1) throw new InvalidInputException($"--at is {options.At}", null, "a step from 1");
    }

    /// <summary>The two checkpoints that follow each other most closely, the newest of such; null where there are not two.</summary>
    private static (int From, int To)? PairOf(IReadOnlyList<int> steps) =>
        steps.Count < 2 ? null : steps.Zip(steps.Skip(1)).Reverse().MinBy(pair => pair.Second - pair.First);

    /// <summary>The run's config in the folder where the run lies now, with what travels settled as it was.</summary>
    private RunConfig ConfigOf(RunFolder run, RunPart part)
    {
        var config = run.ReadConfig() with { Output = _folder };
        foreach (var kind in Enum.GetValues<ExecutionKind>().Where(kind => ChoiceName.Of(kind) == part.Execution))
            config = config with { Method = config.Method with { Execution = kind } };
        return config;
    }

    private ResumeProof ByCheckpoints(
        RunConfig config, RunFolder run, RunManifest manifest, IReadOnlyList<RunPart> parts, (int From, int To) steps, int threads, CancellationToken cancellation)
    {
        using var again = Prepare(config, ExistingRun.Refuse, writes: false, manifest, cancellation);
        var remarks = parts[0].Differences(again.Manifest().Beginning).Select(d => $"the run computed with {d.Here} and this proof with {d.There}: the bits may differ").ToList();
        if (parts.Any(part => !part.ComputesAs(parts[0])))
            remarks.Add($"the run went on in another way between steps {steps.From} and {steps.To}, which is not done here: the bits may differ");
        again.LoadCheckpoint(run.Checkpoints, steps.To);
        var saved = again.Digest();
        again.LoadCheckpoint(run.Checkpoints, steps.From);
        tell?.Invoke($"resumed from the checkpoint of step {steps.From}: taking steps {steps.From + 1} to {steps.To} again, {threads} threads");
        again.Replay(steps.From, steps.To, null, cancellation);
        return Result(ProofKind.Checkpoints, steps.From, steps.From, steps.To, threads, saved, again.Digest(), remarks);
    }

    private ResumeProof ByInterruption(RunConfig config, RunManifest manifest, RunPart part, int threads, CancellationToken cancellation)
    {
        StateDigest straight;
        List<string> remarks;
        int steps, at;
        using (var run = Prepare(config, ExistingRun.Refuse, writes: false, manifest, cancellation))
        {
            (steps, at) = StepsOf(run.TotalSteps);
            remarks = [.. part.Differences(run.Manifest().Beginning).Select(d => $"the run began with {d.Here}, both sides of this proof are computed with {d.There}")];
            tell?.Invoke($"at one go: steps 1 to {steps}, {threads} threads");
            run.Replay(0, steps, null, cancellation);
            straight = run.Digest();
        }
        using var place = new ProofFolder(_folder);
        var interrupted = config with { Output = Path.Combine(place.Path, "run") };
        tell?.Invoke($"interrupted: steps 1 to {at}, a checkpoint in {place.Path}");
        using (var run = Prepare(interrupted, ExistingRun.Refuse, writes: true, manifest, cancellation)) Take(run, at, cancellation);
        tell?.Invoke($"resumed from it: steps {at + 1} to {steps}");
        using var resumed = Prepare(interrupted, ExistingRun.Resume, writes: true, manifest, cancellation);
        Take(resumed, steps, cancellation);
        return Result(ProofKind.Interruption, 0, at, steps, threads, straight, resumed.Digest(), remarks);
    }

    private (int Steps, int At) StepsOf(int total)
    {
        if (total < 2) throw new InvalidInputException($"the run has {total} step, and an interruption needs one before it and one after it", _folder);
        if (options.Steps > total) throw new InvalidInputException($"--steps is {options.Steps} and the run has {total}", _folder, $"2 to {total}");
        var steps = options.Steps ?? Math.Min(total, Math.Max(ResumeProofOptions.DefaultSteps, (options.At ?? 0) + 1));
        var at = options.At ?? steps / 2;
        if (at >= steps) throw new InvalidInputException($"--at is {at} and the proof takes {steps} steps", _folder, $"1 to {steps - 1}");
        return (steps, at);
    }

    /// <summary>Loads a run with the files that it began with, or says which have changed.</summary>
    private TrainingRun Prepare(RunConfig config, ExistingRun existing, bool writes, RunManifest manifest, CancellationToken cancellation)
    {
        var run = TrainingRun.Prepare(config, existing, writes, loading, calibrations, cancellation: cancellation);
        try
        {
            manifest.RequireSameFiles(run.Manifest());
            run.SkipMeasuring();
            return run;
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    private static void Take(TrainingRun run, int toStep, CancellationToken cancellation)
    {
        using var stop = StopAfterStep.Linked(toStep, null, cancellation);
        var result = run.Run(stop, stop.Token);
        if (result.Steps != toStep) throw new OperationCanceledException(cancellation);
    }

    private static ResumeProof Result(
        ProofKind kind, int from, int resumedAfter, int to, int threads, StateDigest straight, StateDigest resumed, IReadOnlyList<string> remarks) => new()
        {
            Kind = kind,
            FromStep = from,
            ResumedAfter = resumedAfter,
            ToStep = to,
            Threads = threads,
            StraightHash = straight.Hash,
            ResumedHash = resumed.Hash,
            Difference = straight.FirstDifference(resumed),
            Remarks = remarks,
        };
}
