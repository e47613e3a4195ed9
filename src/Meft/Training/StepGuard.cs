using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Machine;
using Meft.Memory;
using Meft.Training.Runs;

namespace Meft.Training;

/// <summary>
/// Takes steps; where one fails, leaves the evidence in the run folder and says which rows it was and what to do.
/// </summary>
/// <param name="task">What is trained.</param>
/// <param name="runner">Takes the steps.</param>
/// <param name="ledger">Counts their bytes.</param>
/// <param name="folder">Where evidence goes; null to leave none.</param>
internal sealed class StepGuard(TrainingTask task, StepRunner runner, MemoryLedger ledger, RunFolder? folder)
{
    private StepResult? _previous;
    private (IReadOnlyList<IReadOnlyList<TokenRow>> Rows, double Rate)? _latest;

    /// <summary>Tries the run's largest micro-batch; null where the task does not ask for it or it comes soon anyway.</summary>
    /// <exception cref="RunFailedException">Memory does not suffice for it, or what it gives is not finite.</exception>
    public LargestBatchTrial? TryLargest(int fromStep)
    {
        if (task.CheckWorstBatch == Core.Configuration.WorstBatchCheck.Off || fromStep >= task.Batches.TotalSteps) return null;
        var largest = LargestBatch.Of(task.Batches, fromStep);
        if (task.CheckWorstBatch == Core.Configuration.WorstBatchCheck.Auto && largest.Step.Index < fromStep + LargestBatchTrial.SoonEnough) return null;
        IReadOnlyList<IReadOnlyList<TokenRow>> rows = [largest.Rows];
        Guarded(
            () => runner.Try(rows), rows, rate: 0, 0, "before the first step",
            () => $"the largest micro-batch of the run (in step {largest.Step.Index + 1}: {BatchMemoryException.Describe(largest.Rows)})");
        return new LargestBatchTrial(
            largest.Step.Index + 1, largest.Rows.Count, largest.Tokens, runner.Phases.Seconds.Values.Sum(), ledger.DeviceBytesPeak,
            ProcessMemory.PeakResidentBytes(), task.Predicted?.DeviceBytesPeak, task.Predicted?.PeakResidentBytes);
    }

    /// <summary>Takes a step.</summary>
    /// <exception cref="NonFiniteException">Loss or gradient is not finite; the step's rows are in the run folder.</exception>
    /// <exception cref="RunFailedException">Memory does not suffice.</exception>
    public StepResult Take(BatchStep batch, double rate)
    {
        var step = batch.Index + 1;
        _latest = (batch.MicroBatches, rate);
        var result = Guarded(
            () => runner.Run(batch.MicroBatches, rate, step), batch.MicroBatches, rate, step, $"step {step}",
            () => $"a micro-batch of the step (the largest: {BatchMemoryException.Describe(batch.MicroBatches.MaxBy(m => m.Sum(r => r.Length))!)})");
        _previous = result;
        return result;
    }

    /// <summary>Refuses a state that is not finite: as a checkpoint it would take the place of the last good one.</summary>
    /// <exception cref="NonFiniteException">The matrices are named; the latest step's rows are in the run folder.</exception>
    public void RequireFiniteState(int step)
    {
        var broken = task.Method.Matrices.Where(m => !m.Rows.IsFinite).Select(m => m.Name).ToList();
        if (broken.Count == 0) return;
        var (rows, rate) = _latest ?? ([], 0);
        throw WithEvidence(NonFiniteException.InWeights(step, broken), rows, rate);
    }

    private StepResult Guarded(
        Func<StepResult> take, IReadOnlyList<IReadOnlyList<TokenRow>> rows, double rate, int step, string location, Func<string> describe)
    {
        try
        {
            return take();
        }
        catch (NonFiniteException e)
        {
            throw WithEvidence(e, rows, rate);
        }
        catch (Exception e) when (BatchMemoryException.IsShortage(e))
        {
            throw BatchMemoryException.Of(e, describe(), location, changedNothing: step == 0 || runner.Phases.Current.Phase != StepRunner.OptimizerPhase);
        }
    }

    private NonFiniteException WithEvidence(NonFiniteException e, IReadOnlyList<IReadOnlyList<TokenRow>> rows, double rate) =>
        folder is null ? e : e.WithEvidence(FailureFolder.Write(folder.FailurePath(e.Step), e, rows, rate, _previous, folder.Checkpoints.Steps));
}
