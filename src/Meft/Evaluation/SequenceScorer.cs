using Meft.Core.Errors;
using Meft.Memory;
using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Evaluation;

/// <summary>
/// Negative log-likelihoods of rows under a model. Logits are computed for scored positions only, in chunks, so that no
/// float32 tensor of all tokens by the whole vocabulary exists.
/// </summary>
/// <param name="decoder">The model.</param>
/// <param name="adapter">What runs beside its feed-forward blocks, or null.</param>
/// <param name="ledger">Where device memory is counted, and a budget enforced; null to count nothing.</param>
public sealed class SequenceScorer(Decoder decoder, IDecoderAdapter? adapter = null, MemoryLedger? ledger = null)
{
    /// <summary>The most logits alive at once, in numbers: 32 MiB in float32.</summary>
    private const long LogitsAtOnce = 1 << 23;

    private const int TokensAtOnce = 4096;

    /// <summary>Scores rows, all in one batch.</summary>
    /// <param name="rows">The rows; padding is not needed, they may differ in length.</param>
    /// <returns>One score a row, in order.</returns>
    /// <exception cref="InvalidInputException">
    /// A row is empty, longer than the model allows, holds an id outside of the vocabulary, or has not one label a token.
    /// </exception>
    public IReadOnlyList<SequenceScore> Score(IReadOnlyList<ScoredRow> rows)
    {
        for (var i = 0; i < rows.Count; i++) Check(rows[i], i);
        if (rows.Count == 0) return [];
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var layout = TokenLayout.FromLengths([.. rows.Select(row => row.Ids.Count)], decoder.Device);
        var ids = tensor([.. rows.SelectMany(row => row.Ids).Select(id => (long)id)], int64, decoder.Device);
        // A layer's input and its output; then what the last one leaves.
        var hidden = (long)layout.TokenCount * decoder.Config.HiddenSize * TensorMemory.ElementBytes(decoder.DataType);
        using var held = ledger?.Hold(DeviceUse.HiddenStates, 2 * hidden);
        var h = decoder.Forward(ids, layout, adapter: adapter);

        var positions = new List<long>();
        var targets = new List<long>();
        var counts = new int[rows.Count];
        for (var row = 0; row < rows.Count; row++)
        {
            for (var i = 0; i < rows[row].Ids.Count; i++)
            {
                var target = rows[row].TargetOf(i);
                if (target == ScoredRow.NotScored) continue;
                positions.Add(layout.Offsets[row] + i);
                targets.Add(target);
                counts[row]++;
            }
        }
        var nll = NegativeLogLikelihoods(h, [.. positions], [.. targets]);
        var scores = new SequenceScore[rows.Count];
        for (int row = 0, at = 0; row < rows.Count; at += counts[row++])
            scores[row] = new SequenceScore(rows[row].Ids.Count, nll[at..(at + counts[row])]);
        return scores;
    }

    /// <summary>Scores any number of rows, those of like length together.</summary>
    /// <param name="rows">The rows; they may differ in length.</param>
    /// <param name="tokensAtOnce">About how many tokens a batch has; a row that is longer is a batch of its own.</param>
    /// <param name="progress">Told after each batch how many rows have been scored; null for nobody.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <returns>One score a row, in the order of the rows.</returns>
    /// <exception cref="InvalidInputException">As <see cref="Score"/>; all rows are checked before the first is scored.</exception>
    public IReadOnlyList<SequenceScore> ScoreInBatches(
        IReadOnlyList<ScoredRow> rows, int tokensAtOnce = TokensAtOnce, Action<int>? progress = null, CancellationToken cancellation = default)
    {
        for (var i = 0; i < rows.Count; i++) Check(rows[i], i);
        var scores = new SequenceScore[rows.Count];
        // The longest first: what does not fit into memory is known at once.
        var order = Enumerable.Range(0, rows.Count).OrderByDescending(i => rows[i].Ids.Count).ToArray();
        for (int start = 0, end; start < order.Length; start = end)
        {
            cancellation.ThrowIfCancellationRequested();
            end = start + Math.Max(1, tokensAtOnce / rows[order[start]].Ids.Count);
            var batch = order[start..Math.Min(end, order.Length)];
            var scored = Score([.. batch.Select(i => rows[i])]);
            for (var i = 0; i < batch.Length; i++) scores[batch[i]] = scored[i];
            progress?.Invoke(start + batch.Length);
        }
        return scores;
    }

    /// <summary>h [T, D], n positions among the T and what each predicts → n negative log-likelihoods.</summary>
    private float[] NegativeLogLikelihoods(Tensor h, long[] positions, long[] targets)
    {
        var result = new float[positions.Length];
        var chunk = (int)Math.Max(1, LogitsAtOnce / decoder.Config.VocabularySize);
        for (var start = 0; start < positions.Length; start += chunk)
        {
            using var scope = NewDisposeScope();
            var range = start..Math.Min(start + chunk, positions.Length);
            var (from, length) = range.GetOffsetAndLength(positions.Length);
            using var held = ledger?.Hold(
                DeviceUse.Logits, (long)length * decoder.Config.VocabularySize * (TensorMemory.ElementBytes(decoder.DataType) + sizeof(float)));
            var wanted = tensor(targets[range], int64, h.device).unsqueeze(1);
            var logits = decoder.Logits(h.index_select(0, tensor(positions[range], int64, h.device))).to(float32);
            var nll = logits.logsumexp(1) - logits.gather(1, wanted).squeeze(1);
            nll.cpu().data<float>().CopyTo(result, from);
        }
        return result;
    }

    private void Check(ScoredRow row, int index)
    {
        var config = decoder.Config;
        if (row.Ids.Count == 0) throw new InvalidInputException($"row {index} has no token", null, "at least one token");
        if (row.Ids.Count > config.MaxPositions)
        {
            throw new InvalidInputException($"row {index} has {row.Ids.Count} tokens", null,
                $"at most {config.MaxPositions}, the model's positions", "shorten the row or cut it in several");
        }
        if (row.Labels is not null && row.Labels.Count != row.Ids.Count)
        {
            throw new InvalidInputException(
                $"row {index} has {row.Ids.Count} tokens but {row.Labels.Count} labels", null, "one label a token");
        }
        foreach (var id in row.Labels is null ? row.Ids : row.Ids.Concat(row.Labels.Where(label => label != ScoredRow.NotScored)))
        {
            if (id < 0 || id >= config.VocabularySize)
            {
                throw new InvalidInputException($"row {index} holds the id {id}", null,
                    $"0 to {config.VocabularySize - 1}, the model's vocabulary", "check that the tokenizer belongs to the model");
            }
        }
    }
}
