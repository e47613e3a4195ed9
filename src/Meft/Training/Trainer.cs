using Meft.Core.Data;
using Meft.Core.Metrics;
using Meft.Evaluation;
using Meft.Memory;
using Meft.Native;
using Meft.Training.Runs;

namespace Meft.Training;

/// <summary>How a training loop ended.</summary>
/// <param name="Steps">Steps taken in the whole run, earlier parts of a resumed one included.</param>
/// <param name="Interrupted">Whether it was asked to stop before the last step; its state is then in a checkpoint.</param>
/// <param name="LastLoss">Loss of the last step taken; NaN if none was.</param>
/// <param name="StartValidationLoss">Validation loss before this loop's first step; NaN without validation rows.</param>
/// <param name="EndValidationLoss">Validation loss after its last step; NaN without validation rows.</param>
public sealed record TrainingOutcome(int Steps, bool Interrupted, double LastLoss, double StartValidationLoss, double EndValidationLoss);

/// <summary>The training loop.</summary>
/// <param name="task">What to do.</param>
/// <param name="folder">Where metrics and checkpoints go; null to keep nothing.</param>
/// <param name="observer">Is told of everything; null for nobody.</param>
public sealed class Trainer(TrainingTask task, RunFolder? folder = null, ITrainingObserver? observer = null)
{
    /// <summary>Bytes held and moved.</summary>
    public MemoryLedger Ledger { get; } = new(task.DeviceBudget);

    /// <summary>Trains to the last step, or until asked to stop: then the state is saved and the loop left in good order.</summary>
    /// <param name="fromStep">Steps already taken: those of the checkpoint that the method was loaded from.</param>
    /// <param name="cancellation">Asks to stop after the step that is under way.</param>
    /// <exception cref="NonFiniteException">A loss or gradient is not finite; the last checkpoint stays as it was.</exception>
    public TrainingOutcome Run(int fromStep = 0, CancellationToken cancellation = default)
    {
        Ledger.Host("trained parameters", task.Method.HostByteCount);
        var total = task.Batches.TotalSteps;
        observer?.Started(fromStep, total);
        using var metricsFile = folder?.OpenMetrics(fromStep);
        var runner = new StepRunner(task.Decoder, task.Method, task.Optimizer, Ledger, task.Recompute);
        runner.Phases.Began = phase => observer?.PhaseStarted(phase);
        var startValidation = Evaluate(fromStep, cancellation);
        var (lastLoss, validation, saved) = (double.NaN, startValidation, fromStep);

        foreach (var batch in task.Batches.Steps(fromStep))
        {
            var step = batch.Index + 1;
            if (cancellation.IsCancellationRequested) return Stop(step - 1, saved, lastLoss, startValidation, validation);

            var rate = task.Rates.RateAt(batch.Index);
            StepResult result;
            try
            {
                result = runner.Run(batch.MicroBatches, rate, step);
            }
            catch (DeviceBudgetException) when (folder is not null && step - 1 > saved)
            {
                Save(step - 1); // the step has changed nothing: what was learned before it is kept
                throw;
            }
            lastLoss = result.Loss;
            Ledger.Host("trained parameters", task.Method.HostByteCount);
            var evaluated = IsEvaluationDue(batch, total);
            var metrics = Metrics(batch, rate, result, runner.Phases); // before an evaluation moves bytes of its own
            if (evaluated) metrics = metrics with { ValidationLoss = validation = Evaluate(step, cancellation) };
            metricsFile?.Write(metrics);
            observer?.StepTaken(metrics);
            if (task.HeapLimitBytes is { } limit) HostHeap.ReleaseBeyond(limit);

            if (folder is not null && (step == total || (task.CheckpointEvery > 0 && step % task.CheckpointEvery == 0)))
            {
                Save(step);
                saved = step;
            }
        }
        return new TrainingOutcome(total, Interrupted: false, lastLoss, startValidation, validation);
    }

    private TrainingOutcome Stop(int steps, int savedAt, double lastLoss, double startValidation, double validation)
    {
        if (folder is not null && steps > savedAt) Save(steps);
        return new TrainingOutcome(steps, Interrupted: true, lastLoss, startValidation, validation);
    }

    /// <summary>Saves a checkpoint. A state that is not finite is none: it would take the place of the last good one.</summary>
    private void Save(int step)
    {
        var broken = task.Method.Matrices.Where(m => !m.Rows.IsFinite).Select(m => m.Name).ToList();
        if (broken.Count > 0) throw NonFiniteException.InWeights(step, broken);
        observer?.PhaseStarted("saving");
        var path = folder!.Checkpoints.Save(step, task.Method);
        observer?.CheckpointSaved(step, path);
    }

    private bool IsEvaluationDue(BatchStep batch, int total)
    {
        if (task.Validation.Count == 0) return false;
        var step = batch.Index + 1;
        return step == total || (task.EvaluateEvery > 0 ? step % task.EvaluateEvery == 0 : batch.EndsEpoch);
    }

    /// <summary>Mean loss over the validation rows' trained tokens; NaN without such rows, or when asked to stop meanwhile.</summary>
    private double Evaluate(int step, CancellationToken cancellation)
    {
        if (task.Validation.Count == 0) return double.NaN;
        observer?.PhaseStarted("evaluating");
        var scorer = new SequenceScorer(task.Decoder, task.Method.Adapter, Ledger);
        double sum = 0;
        long count = 0;
        // Rows of like length together: the order changes nothing but the time.
        foreach (var rows in task.Validation.OrderBy(r => r.Length).Chunk(task.ValidationBatchSize))
        {
            if (cancellation.IsCancellationRequested) return double.NaN;
            foreach (var score in scorer.Score([.. rows.Select(r => new ScoredRow(r.InputIds, r.Labels))]))
            {
                sum += score.Nll;
                count += score.TokenNll.Count;
            }
        }
        var loss = sum / count;
        observer?.Evaluated(step, loss);
        return loss;
    }

    private StepMetrics Metrics(BatchStep batch, double rate, StepResult result, PhaseClock phases) => new()
    {
        Step = batch.Index + 1,
        Epoch = batch.EpochsDone,
        Loss = result.Loss,
        LearningRate = rate,
        GradNorm = result.GradientNorm,
        Tokens = result.Tokens,
        TrainedTokens = result.TrainedTokens,
        Seconds = phases.Seconds.Values.Sum(),
        DeviceBytesPeak = Ledger.DeviceBytesPeak,
        DeviceBytesByCause = Ledger.DevicePeakByCause.Where(d => d.Value > 0).ToDictionary(d => d.Key.Name, d => d.Value),
        HostBytes = Ledger.HostBytes,
        HostToDeviceBytes = Ledger.HostToDeviceBytes,
        DeviceToHostBytes = Ledger.DeviceToHostBytes,
        LinkBytesByCause = Ledger.ToDeviceByCause.Concat(Ledger.ToHostByCause).GroupBy(l => l.Key.Name).ToDictionary(g => g.Key, g => g.Sum(l => l.Value)),
        ActiveRows = result.ActiveRows,
        Phases = new Dictionary<string, double>(phases.Seconds),
    };
}
