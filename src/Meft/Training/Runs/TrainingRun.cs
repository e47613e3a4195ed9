using System.Diagnostics;
using Meft.Adapters;
using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Machine;
using Meft.Core.Planning;
using Meft.Core.Schedules;
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
    private readonly TrainingTask _task;

    private TrainingRun(RunConfig config, ExistingRun existing, LoadedModel model, TrainingTask task, TokenDataset rows, RunAudit audit, PlannedRun planned)
    {
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

    /// <summary>Loads and checks all that a run needs; writes nothing.</summary>
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
            var rows = planned.Source.Rows ?? TokenDataset.Load(config.Data.Train, config.Data, model.Tokenizer, model.Limits, () => model.ChatTemplate);
            var validation = config.Data.Validation.Count == 0
                ? null
                : TokenDataset.Load(config.Data.Validation, config.Data, model.Tokenizer, model.Limits, () => model.ChatTemplate);
            var audit = new RunAudit(rows.Audit, validation?.Audit, validation is null ? null : RowOverlap.Find(rows.Rows, validation.Rows));
            method = MethodFactory.Create(config, model, Identity(model), execution.Execution);
            var batches = BatchSchedule.Create(config, rows.Rows);
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
                CheckpointEvery = config.Checkpoint.Every,
                HeapLimitBytes = planned.Plan.Memory.HeapLimitBytes,
            };
            return new TrainingRun(config, existing, model, task, rows, audit, planned with { Plan = planned.Plan with { Execution = execution } });
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
        var folder = RunFolder.Open(Config, _existing);
        var (from, earlier) = _existing == ExistingRun.Resume ? TakeUp(folder, observer) : (0, null);
        if (_existing != ExistingRun.Resume)
        {
            folder.WriteManifest(Manifest());
            folder.WriteAudit(Audit);
        }
        if (from == TotalSteps && earlier is { Interrupted: false })
            return earlier with { ResultFolder = ResultFolder(folder), WasFinished = true };

        var clock = Stopwatch.StartNew();
        var recorder = new StepRecorder(observer);
        var outcome = new Trainer(_task, folder, recorder).Run(from, cancellation);
        string? resultFolder = null;
        if (!outcome.Interrupted) _task.Method.SaveResult(resultFolder = PrepareResultFolder(folder));
        var result = new RunResult
        {
            Steps = outcome.Steps,
            Interrupted = outcome.Interrupted,
            LastLoss = Finite(outcome.LastLoss),
            StartValidationLoss = earlier?.StartValidationLoss ?? Finite(outcome.StartValidationLoss),
            EndValidationLoss = Finite(outcome.EndValidationLoss),
            Seconds = clock.Elapsed.TotalSeconds + (earlier?.Seconds ?? 0),
            PeakResidentBytes = ProcessMemory.PeakResidentBytes(),
            DeviceBytesPeak = recorder.DeviceBytesPeak,
            StepSeconds = recorder.StepSeconds,
            Predicted = Predicted(Planned.Plan),
            ResultFolder = resultFolder,
        };
        folder.WriteResult(result);
        folder.WriteReport(steps => RunReport.Html(Config, Planned.Plan, result, steps));
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _task.Method.Dispose();
        _model.Dispose();
    }

    /// <summary>Checks that the files are those the run began with, and loads its newest checkpoint that can be loaded.</summary>
    private (int Step, RunResult? Earlier) TakeUp(RunFolder folder, ITrainingObserver? observer)
    {
        var (before, now) = (folder.ReadManifest(), Manifest());
        before.RequireSameFiles(now);
        void Remark(string text) => observer?.Remarked(text);
        foreach (var difference in before.Differences(now)) Remark(difference);
        var step = folder.Checkpoints.LoadNewest(_task.Method, Remark);
        Remark(step > 0 ? $"resumed after step {step}" : "the run has no complete checkpoint: it begins at step 1");
        return (step, folder.ReadResult());
    }

    private string ResultFolder(RunFolder folder) => Config.Method.Kind == MethodKind.Full ? folder.ModelPath : folder.AdapterPath;

    /// <summary>A fine-tuned base is a model folder of its own, with its tokenizer; an adapter is a folder beside its base.</summary>
    private string PrepareResultFolder(RunFolder folder)
    {
        if (Config.Method.Kind != MethodKind.Full) return ResultFolder(folder);
        TokenizerFiles.Copy(_model.Location.Folder, folder.ModelPath);
        return folder.ModelPath;
    }

    private RunManifest Manifest() => new()
    {
        Seed = Config.Seed,
        Device = Device,
        Execution = Config.Method.Kind == MethodKind.Meft ? ChoiceName.Of(Planned.Plan.Execution.Execution) : null,
        Model = ModelFiles().ToDictionary(f => Path.GetFileName(f), RunManifest.HashOf),
        Data = Config.Data.Train.Concat(Config.Data.Validation).Distinct().ToDictionary(f => f, RunManifest.HashOf),
        Template = TemplateHash(_model),
    };

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
