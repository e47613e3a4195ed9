using System.Diagnostics;
using Meft.Adapters;
using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Data.Store;
using Meft.Core.Errors;
using Meft.Core.Machine;
using Meft.Core.Planning;
using Meft.Core.Schedules;
using Meft.Loading;
using Meft.Planning;
using Meft.Reporting;
using Meft.Training.Samples;

namespace Meft.Training.Runs;

/// <summary>
/// A fine-tuning run from its config: <see cref="Prepare"/> loads and checks everything and writes nothing; <see cref="Run"/> makes the
/// run folder, trains, and saves the result.
/// </summary>
public sealed class TrainingRun : IDisposable
{
    private readonly ExistingRun _existing;
    private readonly LoadedModel _model;
    private TrainingTask _task;
    private RunLock? _lock;

    private TrainingRun(
        RunConfig config, ExistingRun existing, LoadedModel model, TrainingTask task, TokenDataset rows, RunAudit audit, PlannedRun planned, RunLock? held)
    {
        _lock = held;
        Config = config;
        _existing = existing;
        _model = model;
        _task = task;
        TrainingRows = rows;
        Audit = audit;
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
            config.Model, new ModelLoadOptions { Device = config.Device, DType = config.DType, Base = execution.Base, Progress = progress }, cancellation);
        ITrainedMethod? method = null;
        try
        {
            TokenDataset Load(IEnumerable<string> files) => TokenDataset.Load(
                files, config.Data, model.Tokenizer, model.Limits, () => model.ChatTemplate, RowCache.OfUser(model.Location.Folder));
            var rows = planned.Source.Rows ?? Load(config.Data.Train);
            var validation = config.Data.Validation.Count == 0 ? null : Load(config.Data.Validation);
            var audit = new RunAudit(rows.Audit, validation?.Audit, validation is null ? null : RowOverlap.Find(rows.Rows, validation.Rows));
            method = MethodFactory.Create(config, model, Identity(model), execution.Execution);
            var batches = BatchSchedule.Create(config, rows);
            var task = new TrainingTask
            {
                Decoder = model.Decoder,
                Method = method,
                Batches = batches,
                Rates = LearningRateSchedule.Create(config.Schedule, config.Optimizer.LearningRate, batches.TotalSteps),
                Optimizer = config.Optimizer,
                Recompute = execution.Recompute,
                DeviceBudget = config.Budget.DeviceBytes,
                Validation = validation?.Rows ?? [],
                ValidationBatchSize = config.Batch.Size,
                EvaluateEvery = config.Evaluate.Every,
                Samples = SampleSet.Of(config.Evaluate, model, validation?.Rows ?? []),
                Patience = config.Evaluate.Patience,
                MinDelta = config.Evaluate.MinDelta,
                KeepBest = config.Evaluate.KeepBest,
                CheckWorstBatch = config.CheckWorstBatch,
                Predicted = Predicted(planned.Plan),
                CheckpointEvery = config.Checkpoint.Every,
                CheckpointCopyBytes = planned.Plan.CheckpointCopyBytes,
                HeapLimitBytes = planned.Plan.Memory.HeapLimitBytes,
            };
            return new TrainingRun(config, existing, model, task, rows, audit, planned with { Plan = planned.Plan with { Execution = execution } }, held);
        }
        catch
        {
            method?.Dispose();
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
        folder.Checkpoints.Owner = CheckpointOwner(manifest);
        if (_existing != ExistingRun.Resume) folder.WriteAudit(Audit);
        var (from, earlier) = _existing == ExistingRun.Resume ? TakeUp(folder, manifest, observer) : (0, null);
        var progress = from > 0 ? folder.Checkpoints.ProgressAt(from) : null;
        if ((from == TotalSteps || (progress is not null && _task.IsPatienceOver(progress))) && earlier is { Interrupted: false } && earlier.Steps == from)
            return earlier with { ResultFolder = ResultFolder(folder), WasFinished = true };

        if (_existing == ExistingRun.Resume) folder.AddPart(manifest.Beginning with { AfterStep = from });
        var clock = Stopwatch.StartNew();
        using var journal = new RunJournal(
            folder.Path, _task.Method.Usage, (history, state) => RunReport.Html(Config, Planned.Plan, history, state, folder.Path), observer);
        var recorder = new StepRecorder(journal);
        TrainingOutcome outcome;
        try
        {
            outcome = new Trainer(_task, folder, recorder).Run(from, progress, cancellation);
        }
        catch (MeftException e)
        {
            journal.Fail(e);
            throw;
        }
        string? resultFolder = null;
        if (!outcome.Interrupted)
        {
            if (BestStep(outcome) is { } best && best != outcome.Steps) folder.Checkpoints.Load(best, _task.Method);
            _task.Method.SaveResult(resultFolder = PrepareResultFolder(folder));
        }
        var result = new RunResult
        {
            Steps = outcome.Steps,
            Interrupted = outcome.Interrupted,
            LastLoss = Finite(outcome.LastLoss) ?? progress?.LastLoss,
            StartValidationLoss = progress?.StartValidationLoss ?? (from > 0 ? earlier?.StartValidationLoss : Finite(outcome.StartValidationLoss)),
            EndValidationLoss = Finite(outcome.EndValidationLoss),
            BestValidationLoss = outcome.Progress.BestValidationLoss,
            BestValidationStep = outcome.Progress.BestValidationStep,
            StoppedEarly = outcome.StoppedEarly,
            ResultStep = outcome.Interrupted ? null : BestStep(outcome) ?? outcome.Steps,
            Seconds = clock.Elapsed.TotalSeconds + SecondsBefore(from, earlier, progress),
            PeakResidentBytes = Math.Max(ProcessMemory.PeakResidentBytes(), earlier?.PeakResidentBytes ?? 0),
            DeviceBytesPeak = journal.History.DeviceBytesPeak ?? recorder.DeviceBytesPeak,
            StepSeconds = recorder.StepSeconds ?? earlier?.StepSeconds,
            Tokens = (long)journal.History.Tokens,
            TokensPerSecond = journal.History.Seconds > 0 ? journal.History.Tokens / journal.History.Seconds : null,
            Predicted = Predicted(Planned.Plan),
            ResultFolder = resultFolder,
            Load = journal.History.LatestLoad,
        };
        folder.WriteResult(result);
        journal.End(result);
        return result;
    }

    /// <summary>Leaves out what changes no state: measuring the validation loss, samples, trying the largest batch.</summary>
    internal void SkipMeasuring() => _task = _task with { Validation = [], Samples = null, CheckWorstBatch = WorstBatchCheck.Off };

    /// <summary>What is trained, as it is now.</summary>
    internal StateDigest Digest() => StateDigest.Of(_task.Method);

    /// <summary>The manifest that the run would have if it began now.</summary>
    internal RunManifest Manifest() => new()
    {
        Seed = Config.Seed,
        Device = Device,
        Execution = Config.Method.Kind == MethodKind.Meft ? ChoiceName.Of(Planned.Plan.Execution.Execution) : null,
        Model = ModelFiles().ToDictionary(f => Path.GetFileName(f), RunManifest.HashOf),
        Data = Config.Data.Train.Concat(Config.Data.Validation).Distinct().ToDictionary(f => f, RunManifest.HashOf),
        Template = TemplateHash(_model),
        Init = Config.Method.Init is { } init ? RunManifest.HashOf(Path.Combine(init, SparseAdapterFiles.WeightsFileName)) : null,
    };

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
    private (int Step, RunResult? Earlier) TakeUp(RunFolder folder, RunManifest now, ITrainingObserver? observer)
    {
        var before = folder.ReadManifest();
        before.RequireSameFiles(now);
        void Remark(string text) => observer?.Remarked(text);
        foreach (var (then, here) in before.Beginning.Differences(now.Beginning)) Remark($"the run began with {then} and goes on with {here}: the bits may differ");
        var step = folder.Checkpoints.LoadNewest(_task.Method, Remark);
        folder.Checkpoints.RemoveIncomplete();
        Remark(step > 0 ? $"resumed after step {step}" : "the run has no complete checkpoint: it begins at step 1");
        return (step, folder.ReadResult());
    }

    /// <summary>The step whose state is the result, where <c>evaluate.keep_best</c> asks for the best one and there is one.</summary>
    private int? BestStep(TrainingOutcome outcome) => Config.Evaluate.KeepBest ? outcome.Progress.BestValidationStep : null;

    /// <summary>Seconds of the loop before a step: as that part's result says, or, where it was killed without one, of its steps.</summary>
    private static double SecondsBefore(int step, RunResult? earlier, TrainingProgress? progress) =>
        step == 0 ? 0 : earlier?.Steps == step ? earlier.Seconds : progress?.Seconds ?? 0;

    private string ResultFolder(RunFolder folder) => Config.Method.Kind == MethodKind.Full ? folder.ModelPath : folder.AdapterPath;

    /// <summary>A fine-tuned base is a model folder of its own, with its tokenizer; an adapter is a folder beside its base.</summary>
    private string PrepareResultFolder(RunFolder folder)
    {
        if (Config.Method.Kind != MethodKind.Full) return ResultFolder(folder);
        TokenizerFiles.Copy(_model.Location.Folder, folder.ModelPath);
        return folder.ModelPath;
    }

    private CheckpointOwner CheckpointOwner(RunManifest manifest) => new(
        ChoiceName.Of(Config.Method.Kind), Config.Method.Kind == MethodKind.Full ? null : Config.Method.Rank,
        TrainedParameters.Of(Config.Method, _model.Config).Layers, Config.Model,
        RunManifest.HashOfText(string.Join('\n', manifest.Model.Select(f => $"{f.Key} {f.Value}").Order(StringComparer.Ordinal))), Config.Seed);

    private IEnumerable<string> ModelFiles()
    {
        string[] weights = File.Exists(_model.Location.WeightsPath)
            ? [_model.Location.WeightsPath]
            : [.. Directory.EnumerateFiles(_model.Location.Folder, "*.safetensors"), .. Directory.EnumerateFiles(_model.Location.Folder, "*.gguf")];
        return weights.Prepend(_model.Location.ConfigPath).Order(StringComparer.Ordinal);
    }

    private static AdapterIdentity Identity(LoadedModel model) =>
        new(model.Location.WeightsPath, BaseFingerprint.Of(model.Config), TemplateHash(model));

    private static string? TemplateHash(LoadedModel model) =>
        ChatTemplate.TryLoad(model.Location.Folder) is { } template ? RunManifest.HashOfText(template.Text) : null;

    private static PredictedResult Predicted(RunPlan plan) =>
        new(plan.Memory.ResidentBytes, plan.Memory.CountedDeviceBytes, plan.Step?.Seconds);

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
