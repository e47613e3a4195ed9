using System.Diagnostics;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Planning;
using Meft.Loading;
using Meft.Planning;
using Meft.Reporting;

namespace Meft.Training.Runs;

/// <summary>
/// A fine-tuning run from its config: <see cref="Prepare"/> loads and checks everything and writes nothing; <see cref="Run"/> makes the
/// run folder, trains, and saves the result.
/// </summary>
public sealed class TrainingRun : IDisposable
{
    private readonly ExistingRun _existing;
    private readonly LoadedModel _model;
    private readonly RunIdentity _identity;
    private TrainingTask _task;
    private RunLock? _lock;

    private TrainingRun(RunConfig config, ExistingRun existing, LoadedModel model, RunLoading loaded, PlannedRun planned, RunLock? held)
    {
        _lock = held;
        Config = config;
        _existing = existing;
        _model = model;
        _identity = new RunIdentity(config, model);
        (_task, TrainingRows, Audit) = loaded;
        Planned = planned;
    }

    /// <summary>The run's config.</summary>
    public RunConfig Config { get; }

    /// <summary>The plan of the run; <see cref="RunPlan.Execution"/> says how it is carried out.</summary>
    public PlannedRun Planned { get; }

    /// <summary>The rows to train on.</summary>
    public TokenDataset TrainingRows { get; }

    /// <summary>What became of the rows of the run's files.</summary>
    public RunAudit Audit { get; }

    /// <summary>Rows the validation loss is measured on.</summary>
    public int ValidationRowCount => _task.Validation.Count;

    /// <summary>Steps of the whole run.</summary>
    public int TotalSteps => _task.Batches.TotalSteps;

    /// <summary>Steps of one pass over the rows.</summary>
    public int StepsPerEpoch => _task.Batches.StepsPerEpoch;

    /// <summary>Trained parameters.</summary>
    public long TrainedParameterCount => _task.Method.ParameterCount;

    /// <summary>Parameters of the base.</summary>
    public long BaseParameterCount => _model.Config.ParameterCount;

    /// <summary>Bytes of host memory that the method holds before the first step.</summary>
    public long HostByteCount => _task.Method.HostByteCount;

    /// <summary>Where the base computes.</summary>
    public string Device => _model.Decoder.Device.ToString();

    /// <summary>Loads and checks all that a run needs; writes nothing. A run that is there already is held from now on until this object is disposed of.</summary>
    /// <param name="config">The config.</param>
    /// <param name="existing">What to do with an output folder that is there already.</param>
    /// <param name="writes">Whether the run will be run: if not, what lies in the output folder does not matter.</param>
    /// <param name="progress">Told how far the weights have been read; null for nobody.</param>
    /// <param name="calibrations">Where this machine's speeds are kept; null to plan without seconds.</param>
    /// <param name="onPlanned">Told the plan before it is refused or carried out; null for nobody.</param>
    /// <param name="cancellation">Stops loading.</param>
    /// <exception cref="InvalidInputException">Something about the config, the model, the data or the output folder is wrong.</exception>
    public static TrainingRun Prepare(
        RunConfig config, ExistingRun existing, bool writes = true, Action<LoadProgress>? progress = null,
        CalibrationCache? calibrations = null, Action<PlannedRun>? onPlanned = null, CancellationToken cancellation = default)
    {
        if (writes) RunFolder.Check(config, existing);
        var held = writes && existing != ExistingRun.Refuse && Directory.Exists(config.Output) ? RunLock.Take(config.Output) : null;
        try
        {
            return Load(config, existing, held, progress, calibrations, onPlanned, cancellation);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    private static TrainingRun Load(
        RunConfig config, ExistingRun existing, RunLock? held, Action<LoadProgress>? progress, CalibrationCache? calibrations, Action<PlannedRun>? onPlanned,
        CancellationToken cancellation)
    {
        var planned = PlannedRun.Of(config, calibrations);
        onPlanned?.Invoke(planned);
        planned.Require();
        var execution = planned.Plan.Execution;
        if (RunFolder.ExecutionToKeep(config, existing) is { } kept) execution = execution with { Execution = kept };
        var model = LoadedModel.Load(
            config.Model, new ModelLoadOptions { Device = config.Device, DType = config.DType, Quantize = config.Quantize, Base = execution.Base, Progress = progress }, cancellation);
        try
        {
            var plan = planned.Plan with { Execution = execution };
            return new TrainingRun(config, existing, model, RunLoading.Of(config, model, plan, planned.Source.Rows), planned with { Plan = plan }, held);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Makes the run folder, or takes up the one to resume; trains; saves the result unless asked to stop before the end.</summary>
    /// <exception cref="MeftException">What went wrong; the folder holds the last good checkpoint.</exception>
    public RunResult Run(ITrainingObserver? observer = null, CancellationToken cancellation = default)
    {
        _lock ??= RunLock.Take(Config.Output);
        var manifest = Manifest();
        var folder = RunFolder.Open(Config, _existing, manifest);
        folder.Checkpoints.Owner = _identity.Owner(manifest);
        var resumes = _existing == ExistingRun.Resume;
        if (!resumes) folder.WriteAudit(Audit);
        var start = resumes ? TakeUp(folder, manifest, observer) : RunStart.New;
        var saver = new ResultSaver(Config, _model, _task.Method);
        if (start.HasResult && IsOver(start)) return start.Earlier! with { ResultFolder = saver.FolderOf(folder), WasFinished = true };

        if (resumes) folder.AddPart(manifest.Beginning with { AfterStep = start.FromStep });
        var clock = Stopwatch.StartNew();
        using var journal = new RunJournal(
            folder.Path, _task.Method.Usage, (history, state) => RunReport.Html(Config, Planned.Plan, history, state, folder.Path), observer);
        var recorder = new StepRecorder(journal);
        TrainingOutcome outcome;
        (string Folder, int Step)? saved = null;
        try
        {
            outcome = new Trainer(_task, folder, recorder).Run(start.FromStep, start.Progress, cancellation);
            if (!outcome.Interrupted) saved = saver.Save(folder, BestStep(outcome) ?? outcome.Steps, outcome.Steps, recorder.Remarked);
        }
        catch (MeftException e)
        {
            journal.Fail(e);
            throw;
        }
        var result = start.ResultOf(outcome, clock.Elapsed.TotalSeconds, recorder, journal.History) with
        {
            Predicted = _task.Predicted,
            ResultStep = saved?.Step,
            ResultFolder = saved?.Folder,
        };
        folder.WriteResult(result);
        journal.End(result);
        return result;
    }

    /// <summary>Leaves out what changes no state: measuring the validation loss, samples, trying the largest batch.</summary>
    internal void SkipMeasuring() => _task = _task with { Validation = [], Samples = null, CheckWorstBatch = WorstBatchCheck.Off };

    /// <summary>Leaves out the checkpoint after the last step: what is wanted is the result.</summary>
    internal void SkipLastCheckpoint() => _task = _task with { CheckpointAtEnd = false };

    /// <summary>What is trained, as it is now.</summary>
    internal StateDigest Digest() => StateDigest.Of(_task.Method);

    /// <summary>The manifest that the run would have if it began now.</summary>
    internal RunManifest Manifest() => _identity.Manifest(Planned.Plan.Execution.Execution);

    /// <summary>Loads a checkpoint of any folder; nothing else is taken over.</summary>
    internal void LoadCheckpoint(CheckpointFolder checkpoints, int step) => checkpoints.Load(step, _task.Method);

    /// <summary>Takes steps and writes nothing at all.</summary>
    /// <param name="fromStep">Steps that the present state has behind it.</param>
    /// <param name="toStep">The last step to take.</param>
    /// <param name="observer">Is told of the steps.</param>
    /// <param name="cancellation">Stops at the next step.</param>
    /// <exception cref="OperationCanceledException">Asked to stop before <paramref name="toStep"/>.</exception>
    internal void Replay(int fromStep, int toStep, ITrainingObserver? observer, CancellationToken cancellation)
    {
        using var stop = StopAfterStep.Linked(toStep, observer, cancellation);
        var outcome = new Trainer(_task, folder: null, stop).Run(fromStep, stop.Token);
        if (outcome.Steps != toStep) throw new OperationCanceledException(cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _task.Method.Dispose();
        _model.Dispose();
        _lock?.Dispose();
    }

    /// <summary>Checks that the files are those the run began with, and loads its newest checkpoint that can be loaded.</summary>
    private RunStart TakeUp(RunFolder folder, RunManifest now, ITrainingObserver? observer)
    {
        var before = folder.ReadManifest();
        before.RequireSameFiles(now);
        void Remark(string text) => observer?.Remarked(text);
        foreach (var (then, here) in before.Beginning.Differences(now.Beginning)) Remark($"the run began with {then} and goes on with {here}: the bits may differ");
        var step = folder.Checkpoints.LoadNewest(_task.Method, Remark);
        folder.Checkpoints.RemoveIncomplete();
        Remark(step > 0 ? $"resumed after step {step}" : "the run has no complete checkpoint: it begins at step 1");
        return new RunStart(step, folder.ReadResult(), step > 0 ? folder.Checkpoints.ProgressAt(step) : null);
    }

    /// <summary>Whether no step is left to take.</summary>
    private bool IsOver(RunStart start) => start.FromStep == TotalSteps || (start.Progress is { } progress && _task.IsPatienceOver(progress));

    /// <summary>The step whose state is the result, where <c>evaluate.keep_best</c> asks for the best one and there is one.</summary>
    private int? BestStep(TrainingOutcome outcome) => Config.Evaluate.KeepBest ? outcome.Progress.BestValidationStep : null;
}
