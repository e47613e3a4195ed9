using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Data.Store;
using Meft.Core.Planning;
using Meft.Core.Schedules;
using Meft.Loading;
using Meft.Training.Samples;

namespace Meft.Training.Runs;

/// <summary>A run's rows and all that its loop needs.</summary>
/// <param name="Task">What the loop needs.</param>
/// <param name="Rows">The rows to train on.</param>
/// <param name="Audit">What became of the rows of the run's files.</param>
internal sealed record RunLoading(TrainingTask Task, TokenDataset Rows, RunAudit Audit)
{
    /// <summary>Loads the rows and makes the method, on a base that is loaded.</summary>
    /// <param name="config">The run's config.</param>
    /// <param name="model">The base.</param>
    /// <param name="plan">How the run is carried out.</param>
    /// <param name="rows">The rows to train on where they have been read already.</param>
    /// <exception cref="Core.Errors.InvalidInputException">A row, or the method, does not fit the model.</exception>
    public static RunLoading Of(RunConfig config, LoadedModel model, RunPlan plan, TokenDataset? rows)
    {
        TokenDataset Load(IEnumerable<string> files) => TokenDataset.Load(
            files, config.Data, model.Tokenizer, model.Limits, () => model.ChatTemplate, RowCache.OfUser(model.Location));
        rows ??= Load(config.Data.Train);
        var validation = config.Data.Validation.Count == 0 ? null : Load(config.Data.Validation);
        var audit = new RunAudit(rows.Audit, validation?.Audit, validation is null ? null : RowOverlap.Find(rows.Rows, validation.Rows));
        var method = MethodFactory.Create(config, model, RunIdentity.OfAdapter(model), plan.Execution.Execution);
        try
        {
            return new RunLoading(TaskOf(config, model, plan, BatchSchedule.Create(config, rows), method, validation?.Rows ?? []), rows, audit);
        }
        catch
        {
            method.Dispose();
            throw;
        }
    }

    private static TrainingTask TaskOf(
        RunConfig config, LoadedModel model, RunPlan plan, BatchSchedule batches, ITrainedMethod method, IReadOnlyList<TokenRow> validation) => new()
        {
            Decoder = model.Decoder,
            Method = method,
            Batches = batches,
            Rates = LearningRateSchedule.Create(config.Schedule, config.Optimizer.LearningRate, batches.TotalSteps),
            Optimizer = config.Optimizer,
            Recompute = plan.Execution.Recompute,
            DeviceBudget = config.Budget.DeviceBytes,
            Validation = validation,
            ValidationBatchSize = config.Batch.Size,
            EvaluateEvery = config.Evaluate.Every,
            Samples = SampleSet.Of(config.Evaluate, model, validation),
            Patience = config.Evaluate.Patience,
            MinDelta = config.Evaluate.MinDelta,
            KeepBest = config.Evaluate.KeepBest,
            CheckWorstBatch = config.CheckWorstBatch,
            Predicted = PredictedResult.Of(plan),
            CheckpointEvery = config.Checkpoint.Every,
            CheckpointCopyBytes = plan.CheckpointCopyBytes,
            HeapLimitBytes = plan.Memory.HeapLimitBytes,
        };
}
