using System.Runtime.InteropServices;
using Meft.Core.Errors;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Generation;

/// <summary>
/// Continues prompts of token ids, several at once: greedy, or sampled with a seed. Prompts of different lengths share a
/// batch without padding; a row that has ended costs nothing further.
/// </summary>
/// <param name="decoder">The model.</param>
/// <param name="adapter">What runs beside its feed-forward blocks, or null.</param>
public sealed class TextGenerator(Decoder decoder, IDecoderAdapter? adapter = null)
{
    /// <summary>Continues prompts.</summary>
    /// <param name="prompts">The ids of each prompt, begin token included where the model wants one; none is empty.</param>
    /// <param name="options">How to decode.</param>
    /// <param name="onToken">Called for each token as it comes, row after row of a step; null for none.</param>
    /// <param name="firstIndex">
    /// The first prompt's index among those of all calls: a row's draws depend on the seed and its index, whatever the batches are.
    /// </param>
    /// <param name="cancellation">Ends all rows after the current step, which are returned as far as they have come.</param>
    /// <returns>One result a prompt, in order.</returns>
    /// <exception cref="InvalidInputException">
    /// A prompt is empty, longer than the model allows or holds an id outside of the vocabulary; an option is out of range.
    /// </exception>
    /// <exception cref="RunFailedException">The model's logits are not finite.</exception>
    public IReadOnlyList<GeneratedRow> Generate(
        IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, TokenCallback? onToken = null, int firstIndex = 0,
        CancellationToken cancellation = default)
    {
        options.Validate();
        for (var i = 0; i < prompts.Count; i++) Check(prompts[i], i);
        if (options.BeamCount > 1 && options.MaxNewTokens > 0)
        {
            return [.. prompts.Select((prompt, i) =>
                Report(i, new BeamSearch(decoder, adapter, options).Generate(prompt, firstIndex + i, cancellation), onToken))];
        }
        var results = new GeneratedRow[prompts.Count];
        var rows = prompts.Select((prompt, i) => new GeneratingRow(i, firstIndex + i, prompt, options)).ToList();
        if (prompts.Count == 0 || options.MaxNewTokens == 0)
            return [.. rows.Select(row => row.Finish(FinishReason.Length))];

        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var capacity = Math.Min(decoder.Config.MaxPositions, prompts.Max(p => p.Count) + options.MaxNewTokens);
        using var cache = new KeyValueCache(decoder.Config, rows.Count, capacity, decoder.Device, decoder.DataType);
        var last = decoder.Feed(prompts, cache, adapter);
        while (true)
        {
            var tokens = ChooseNext(rows, last);
            last.Dispose();
            // From the end, so that the row that takes the place of a finished one has been dealt with.
            for (var slot = 0; slot < rows.Count; slot++) rows[slot].Append(tokens[slot]);
            var reasons = rows.Select(row => ReasonToFinish(row, options, onToken, cancellation)).ToArray();
            for (var slot = rows.Count - 1; slot >= 0; slot--)
            {
                if (reasons[slot] is not { } reason) continue;
                results[rows[slot].Index] = rows[slot].Finish(reason);
                cache.RemoveRow(slot);
                rows[slot] = rows[^1];
                rows.RemoveAt(rows.Count - 1);
            }
            if (rows.Count == 0) return results;
            last = decoder.Feed([.. rows.Select(row => row.Tokens)], cache, adapter);
        }
    }

    /// <summary>Beams are told when the best one is known.</summary>
    private static GeneratedRow Report(int index, GeneratedRow row, TokenCallback? onToken)
    {
        foreach (var token in row.Tokens)
        {
            if (onToken?.Invoke(index, token) == false) break;
        }
        return row;
    }

    private FinishReason? ReasonToFinish(
        GeneratingRow row, GenerationOptions options, TokenCallback? onToken, CancellationToken cancellation)
    {
        var goesOn = onToken?.Invoke(row.Index, row.Last) ?? true;
        if (!goesOn || options.EndTokens.Contains(row.Last)) return FinishReason.Stop;
        if (row.NewCount >= options.MaxNewTokens || row.Length >= decoder.Config.MaxPositions) return FinishReason.Length;
        return cancellation.IsCancellationRequested ? FinishReason.Cancelled : null;
    }

    /// <summary>h [B, D] → one token a row.</summary>
    private int[] ChooseNext(List<GeneratingRow> rows, Tensor h)
    {
        using var scope = NewDisposeScope();
        var logits = decoder.Logits(h);
        if (rows.TrueForAll(row => row.IsPlain))
        {
            if (GreedyChoice.Takes(logits)) return GreedyChoice.Choose(logits, rows);
            var likeliest = logits.argmax(1, keepdim: true);
            RequireFinite(rows, logits.gather(1, likeliest).to(float32).cpu());
            return [.. likeliest.cpu().data<long>().Select(token => (int)token)];
        }
        logits = logits.to(float32).cpu().contiguous();
        RequireFinite(rows, logits.amax([1L]));
        var size = (int)logits.shape[1];
        var scores = MemoryMarshal.Cast<byte, float>(logits.bytes);
        var tokens = new int[rows.Count];
        for (var slot = 0; slot < tokens.Length; slot++) tokens[slot] = rows[slot].Choose(scores.Slice(slot * size, size));
        return tokens;
    }

    /// <summary>The greatest logit of each row (B values) is NaN if any is, so that a look at it is enough.</summary>
    private static void RequireFinite(List<GeneratingRow> rows, Tensor greatest)
    {
        var values = greatest.data<float>().ToArray();
        for (var slot = 0; slot < values.Length; slot++) FiniteLogit.Require(values[slot], rows[slot].DrawIndex, rows[slot].Length);
    }

    private void Check(IReadOnlyList<int> prompt, int index)
    {
        if (prompt.Count == 0)
            throw new InvalidInputException($"prompt {index} has no token", null, "at least one token", "add text or a begin token");
        if (prompt.Count >= decoder.Config.MaxPositions)
        {
            throw new InvalidInputException($"prompt {index} has {prompt.Count} tokens", null,
                $"fewer than the {decoder.Config.MaxPositions} positions of the model", "shorten the prompt");
        }
        foreach (var token in prompt)
        {
            if (token < 0 || token >= decoder.Config.VocabularySize)
            {
                throw new InvalidInputException($"prompt {index} holds the id {token}", null,
                    $"0 to {decoder.Config.VocabularySize - 1}, the model's vocabulary", "check that the tokenizer belongs to the model");
            }
        }
    }
}
