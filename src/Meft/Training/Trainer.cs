using Meft.Core.Data;
using Meft.Core.Metrics;
using Meft.Memory;
using Meft.Native;
using Meft.Training.Runs;

namespace Meft.Training;

/// <summary>How a training loop ended.</summary>
/// <param name="Steps">Steps taken in the whole run, earlier parts of a resumed one included.</param>
/// <param name="Interrupted">Whether it was asked to stop before the last step; its state is then in a checkpoint.</param>
/// <param name="LastLoss">Loss of the last step taken; NaN if none was.</param>
/// <param name="StartValidationLoss">Validation loss before the run's first step; NaN without validation rows.</param>
/// <param name="EndValidationLoss">The latest validation loss; NaN without validation rows.</param>
public sealed record TrainingOutcome(int Steps, bool Interrupted, double LastLoss, double StartValidationLoss, double EndValidationLoss)
{
    /// <summary>Whether it stopped before the last step because the validation loss did not improve.</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>The loop's small state at the end.</summary>
    public TrainingProgress Progress { get; init; } = TrainingProgress.None;
}

/// <summary>The training loop.</summary>
/// <param name="task">What to do.</param>
/// <param name="folder">Where metrics, samples, checkpoints and the evidence of failures go; null to keep nothing.</param>
/// <param name="observer">Is told of everything; null for nobody.</param>
/// <param name="time">Tells the time; null for the system's.</param>
public sealed class Trainer(TrainingTask task, RunFolder? folder = null, ITrainingObserver? observer = null, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>Bytes held and moved.</summary>
    public MemoryLedger Ledger { get; } = new(task.DeviceBudget);

    /// <summary>Trains to the last step, or until asked to stop: then the state is saved and the loop left in good order.</summary>
    /// <param name="fromStep">Steps already taken: those of the checkpoint that the method was loaded from.</param>
    /// <param name="cancellation">Asks to stop after the step that is under way.</param>
    /// <exception cref="NonFiniteException">A loss or gradient is not finite; the last checkpoint stays as it was.</exception>
    /// <exception cref="BatchMemoryException">Memory does not suffice for a step's rows.</exception>
    public TrainingOutcome Run(int fromStep = 0, CancellationToken cancellation = default) => Run(fromStep, null, cancellation);

    /// <summary>As the other overload, with the loop's small state.</summary>
    /// <param name="fromStep">Steps already taken.</param>
    /// <param name="earlier">The loop's small state after them, from the checkpoint; null where there is none.</param>
    /// <param name="cancellation">Asks to stop after the step that is under way.</param>
    /// <exception cref="NonFiniteException">A loss or gradient is not finite; the last checkpoint stays as it was.</exception>
    /// <exception cref="BatchMemoryException">Memory does not suffice for a step's rows.</exception>
    public TrainingOutcome Run(int fromStep, TrainingProgress? earlier, CancellationToken cancellation)
    {
        using var checkpoints = folder is null ? null : new CheckpointSaver(folder.Checkpoints, task.Method, observer, task.CheckpointCopyBytes);
        Ledger.Host("trained parameters", task.Method.HostByteCount);
        var total = task.Batches.TotalSteps;
        observer?.Started(fromStep, total);
        using var metricsFile = folder?.OpenMetrics(fromStep);
        var phases = new PhaseClock(_time) { Began = phase => observer?.PhaseStarted(phase) };
        var runner = new StepRunner(task.Decoder, task.Method, task.Optimizer, Ledger, task.Recompute, phases);
        var guard = new StepGuard(task, runner, Ledger, folder);
        var evaluation = new PeriodicEvaluation(task, Ledger, observer, folder?.OpenSamples(fromStep));
        var holes = task.HeapLimitBytes is { } limit ? new HeapHoles(limit) : null;
        using var watchdog = new Watchdog(phases, stall => observer?.Stalled(stall), _time);

        if (fromStep > 0) task.Method.Usage?.Restore(earlier?.ActiveRows);
        if (guard.TryLargest(fromStep) is { } trial) observer?.LargestBatchTried(trial);
        var progress = earlier ?? TrainingProgress.None;
        var saved = fromStep;
        if (fromStep == 0) progress = progress.Started(evaluation.Run(0, cancellation) ?? double.NaN);
        else if (progress.EvaluatedStep != fromStep && evaluation.IsDue(task.Batches.StepAt(fromStep - 1)))
        {
            Evaluate(fromStep); // the run was stopped within it
            if (IsNewBest(fromStep)) Save(fromStep); // the checkpoint does not know yet that it is the best
        }

        ReadNext(fromStep + 1);
        foreach (var batch in task.Batches.Steps(fromStep))
        {
            var step = batch.Index + 1;
            if (task.IsPatienceOver(progress)) return StopEarly(step - 1);
            if (cancellation.IsCancellationRequested) return End(step - 1) with { Interrupted = true };

            var rate = task.Rates.RateAt(batch.Index);
            StepResult result;
            try
            {
                result = guard.Take(batch, rate);
            }
            catch (Exception e) when (step - 1 > saved && e is DeviceBudgetException or BatchMemoryException { ChangedNothing: true })
            {
                End(step - 1); // the step has changed nothing: what was learned before it is kept
                throw;
            }
            Ledger.Host("trained parameters", task.Method.HostByteCount);
            var metrics = Metrics(batch, rate, result, phases); // before an evaluation moves bytes of its own
            if (evaluation.IsDue(batch)) metrics = metrics with { ValidationLoss = Evaluate(step) };
            progress = progress.After(metrics);
            metrics = metrics with { Checkpoint = checkpoints?.TakeMetrics() };
            metricsFile?.Write(metrics);
            observer?.StepTaken(metrics);
            holes?.Close();

            checkpoints?.Poll();
            if ((step == total && task.CheckpointAtEnd) || (task.CheckpointEvery > 0 && step % task.CheckpointEvery == 0)) Save(step);
            else if (IsNewBest(step)) Save(step, onlyAsBest: true);
            ReadNext(step + 1);
        }
        return End(total);

        void ReadNext(int step)
        {
            watchdog.Enter(Activity.Step, step);
            phases.Restart(StepRunner.DataPhase);
        }

        double Evaluate(int step)
        {
            watchdog.Enter(Activity.Evaluation, step);
            observer?.PhaseStarted("evaluating");
            if (evaluation.Run(step, cancellation) is not { } loss) return double.NaN;
            progress = progress.Measured(step, loss, task.MinDelta);
            return loss;
        }

        bool IsNewBest(int step) => task.KeepBest && progress.BestValidationStep == step;

        void Save(int step, bool onlyAsBest = false)
        {
            if (checkpoints is null) return;
            watchdog.Enter(Activity.Checkpoint, step);
            guard.RequireFiniteState(step);
            observer?.PhaseStarted("saving");
            progress = progress with { ActiveRows = task.Method.Usage?.Ever() };
            checkpoints.Save(saved = step, progress, onlyAsBest, beside: step < total && !cancellation.IsCancellationRequested);
        }

        TrainingOutcome End(int steps)
        {
            if (steps > saved && (steps < total || task.CheckpointAtEnd)) Save(steps);
            checkpoints?.Complete();
            return new TrainingOutcome(
                steps, Interrupted: false, progress.LastLoss ?? double.NaN, progress.StartValidationLoss ?? double.NaN, progress.ValidationLoss ?? double.NaN)
            {
                Progress = progress,
            };
        }

        TrainingOutcome StopEarly(int steps)
        {
            observer?.Remarked(FormattableString.Invariant(
                $"stopped after step {steps} of {total}: the validation loss has not improved on {progress.BestValidationLoss:F4}, after step {progress.BestValidationStep}, in {progress.EvaluationsSinceBest} evaluations"));
            return End(steps) with { StoppedEarly = true };
        }
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
        DeviceBytesByCause = Ledger.DevicePeakByCause.Where(d => d.Value > 0).OrderBy(d => d.Key.Name, StringComparer.Ordinal).ToDictionary(d => d.Key.Name, d => d.Value),
        HostBytes = Ledger.HostBytes,
        HostToDeviceBytes = Ledger.HostToDeviceBytes,
        DeviceToHostBytes = Ledger.DeviceToHostBytes,
        LinkBytesByCause = Ledger.ToDeviceByCause.Concat(Ledger.ToHostByCause).GroupBy(l => l.Key.Name).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(l => l.Value)),
        ActiveRows = result.ActiveRows,
        Attempts = result.Attempts,
        Phases = new Dictionary<string, double>(phases.Seconds),
    };
}
