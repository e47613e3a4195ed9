using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Evaluation;
using Meft.Memory;
using Meft.Training.Samples;

namespace Meft.Training;

/// <summary>What a loop measures between its steps: the loss on the validation rows, and samples. Nothing that is trained or drawn changes.</summary>
/// <param name="task">The rows, the prompts, when.</param>
/// <param name="ledger">Counts bytes.</param>
/// <param name="observer">Is told; null for nobody.</param>
/// <param name="samplesPath">The run's <c>samples.jsonl</c>; null to write none.</param>
internal sealed class PeriodicEvaluation(TrainingTask task, MemoryLedger ledger, ITrainingObserver? observer, string? samplesPath)
{
    private readonly SequenceScorer _scorer = new(task.Decoder, task.Method.Adapter, ledger);
    private readonly Sampler? _sampler =
        task.Samples is { Prompts.Count: > 0 } samples ? new Sampler(samples, task.Decoder, task.Method.Adapter, ledger, samplesPath) : null;
    private readonly ScoredRows _rows = new(task.Validation);

    /// <summary>As many tokens at once as the longest rows of a batch have: memory is that of so many rows, and short ones fill it too.</summary>
    private readonly int _tokensAtOnce = LengthsOf(TokenRows.Of(task.Validation)).OrderDescending().Take(task.ValidationBatchSize).Sum();

    /// <summary>Whether a step is followed by an evaluation: the last one always is.</summary>
    public bool IsDue(BatchStep batch)
    {
        if (_rows.Count == 0 && _sampler is null) return false;
        var step = batch.Index + 1;
        return step == task.Batches.TotalSteps || (task.EvaluateEvery > 0 ? step % task.EvaluateEvery == 0 : batch.EndsEpoch);
    }

    /// <summary>Measures the validation loss and takes samples.</summary>
    /// <param name="step">After how many steps; 0 before the first.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <returns>Mean loss over the validation rows' trained tokens, in nats, NaN without such rows; null when asked to stop meanwhile.</returns>
    public double? Run(int step, CancellationToken cancellation)
    {
        var loss = Loss(step, cancellation);
        try
        {
            if (_sampler?.Take(step, cancellation) is { } samples) observer?.Sampled(samples);
        }
        catch (RunFailedException e) when (e is not DeviceBudgetException)
        {
            // A model that has gone wrong cannot write; the next step says what is wrong with it, and saves the evidence.
            observer?.Remarked($"there are no samples after step {step}: {e.Message}");
        }
        return cancellation.IsCancellationRequested ? null : loss;
    }

    private static IEnumerable<int> LengthsOf(ITokenRows rows) => Enumerable.Range(0, rows.Count).Select(rows.LengthOf);

    private double Loss(int step, CancellationToken cancellation)
    {
        if (_rows.Count == 0) return double.NaN;
        try
        {
            var scores = _scorer.ScoreInBatches(_rows, _tokensAtOnce, cancellation: cancellation);
            var loss = scores.Sum(s => s.Nll) / scores.Sum(s => (long)s.TokenNll.Count);
            observer?.Evaluated(step, loss);
            return loss;
        }
        catch (OperationCanceledException)
        {
            return double.NaN;
        }
    }

    /// <summary>The rows as a scorer wants them, made when asked for: rows that are not in memory need not come there together.</summary>
    private sealed class ScoredRows(IReadOnlyList<TokenRow> rows) : IReadOnlyList<ScoredRow>
    {
        public int Count => rows.Count;

        public ScoredRow this[int index] => Scored(rows[index]);

        public IEnumerator<ScoredRow> GetEnumerator() => rows.Select(Scored).GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

        private static ScoredRow Scored(TokenRow row) => new(row.InputIds, row.Labels);
    }
}
