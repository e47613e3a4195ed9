using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Results;
using Meft.Generation;
using Meft.Loading;

namespace Meft.Evaluation;

/// <summary>
/// Puts the items of a task to a model. Items of a part share batches with those of like length; which share one depends on the items alone, so that
/// an evaluation that was interrupted and goes on computes the same as one that was not.
/// </summary>
/// <param name="model">The model with its adapter.</param>
public sealed class TaskEvaluation(LoadedModel model)
{
    private const int TokensAtOnce = 4096;

    /// <summary>Prompts that are continued together.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Answers all items, or those that a file of rows does not hold yet.</summary>
    /// <param name="items">All items of the evaluation.</param>
    /// <param name="file">Takes rows as they come, and is completed at the end; null to keep them in memory alone.</param>
    /// <param name="progress">Told after each batch how many rows there are; null for nobody.</param>
    /// <param name="cancellation">As in <see cref="Answer"/>.</param>
    /// <returns>A row for each item, by index.</returns>
    /// <exception cref="NonFiniteOutputException">The model's numbers are not finite.</exception>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public IReadOnlyDictionary<int, EvalRow> Run(
        IReadOnlyList<EvalItem> items, EvalRowsFile? file = null, Action<int>? progress = null, CancellationToken cancellation = default)
    {
        var rows = file?.Rows.ToDictionary() ?? [];
        foreach (var batch in Answer(items, item => rows.ContainsKey(item.Index), cancellation))
        {
            IReadOnlyList<EvalRow> fresh = [.. batch.Where(row => rows.TryAdd(row.Index, row))];
            file?.Append(fresh);
            progress?.Invoke(rows.Count);
        }
        file?.Complete();
        return rows;
    }

    /// <summary>Answers items, the longest of a part first: what does not fit into memory is known at once.</summary>
    /// <param name="items">All items of the evaluation.</param>
    /// <param name="isDone">Whether an item's row is there already; a batch is left out where all of its are.</param>
    /// <param name="cancellation">Stops between two batches, and between two tokens of a batch, which is then lost.</param>
    /// <returns>The rows, a batch at a time.</returns>
    /// <exception cref="NonFiniteOutputException">The model's numbers are not finite.</exception>
    public IEnumerable<IReadOnlyList<EvalRow>> Answer(
        IReadOnlyList<EvalItem> items, Func<EvalItem, bool> isDone, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1, nameof(BatchSize));
        foreach (var part in items.GroupBy(item => item.Question.Part, ReferenceEqualityComparer.Instance))
        {
            foreach (var batch in Batches([.. part.OrderByDescending(item => item.Tokens).ThenBy(item => item.Index)]))
            {
                if (batch.All(isDone)) continue;
                cancellation.ThrowIfCancellationRequested();
                yield return batch[0].Question is GenerateQuestion ? Continue(batch, cancellation) : Score(batch);
            }
        }
    }

    private IEnumerable<IReadOnlyList<EvalItem>> Batches(IReadOnlyList<EvalItem> items)
    {
        for (int start = 0, count; start < items.Count; start += count)
        {
            count = items[start].Question is GenerateQuestion ? BatchSize : Math.Max(1, TokensAtOnce / items[start].Tokens);
            yield return [.. items.Skip(start).Take(count)];
        }
    }

    private List<EvalRow> Continue(IReadOnlyList<EvalItem> batch, CancellationToken cancellation)
    {
        var part = batch[0].Question.Part;
        var continuation = new TextContinuation(model.CreateGenerator(), model.Tokenizer) { StopStrings = part.Stop, BatchSize = batch.Count };
        // Greedy and nothing else: the decoding defaults of a chat model, such as a penalty on repetition, would change what is measured.
        var options = new GenerationOptions { MaxNewTokens = part.MaxNewTokens, EndTokens = model.Defaults.EndTokens };
        var texts = continuation.Continue([.. batch.Select(item => item.Rows[0].InputIds)], options, cancellation: cancellation).ToList();
        cancellation.ThrowIfCancellationRequested();
        return [.. batch.Zip(texts).Select(pair => EvalRow.OfAnswer(pair.First, pair.Second.Text!))];
    }

    private List<EvalRow> Score(IReadOnlyList<EvalItem> batch)
    {
        var scores = model.CreateScorer().Score([.. batch.SelectMany(item => item.Rows).Select(row => new ScoredRow(row.InputIds, row.Labels))]);
        var at = 0;
        var rows = new List<EvalRow>(batch.Count);
        foreach (var item in batch)
        {
            double[] nll = [.. scores.Skip(at).Take(item.Rows.Count).Select(score => score.Nll)];
            at += item.Rows.Count;
            if (!nll.All(double.IsFinite))
            {
                throw new NonFiniteOutputException(
                    FormattableString.Invariant($"the model gives a text of the record a negative log-likelihood of {nll.First(sum => !double.IsFinite(sum))}"),
                    item.Question.Origin.ToString());
            }
            rows.Add(item.Question is ChooseQuestion ? EvalRow.OfChoices(item, nll) : EvalRow.OfWindow(item, nll[0]));
        }
        return rows;
    }
}
