using Meft.Core.Errors;
using Meft.Core.Tokenization;

namespace Meft.Generation;

/// <summary>Continues any number of prompts, a batch at a time, and gives the text beside the tokens.</summary>
/// <param name="generator">The model.</param>
/// <param name="tokenizer">Its tokenizer; null where there is none: then there is no text.</param>
public sealed class TextContinuation(TextGenerator generator, ITokenizer? tokenizer)
{
    /// <summary>What ends a text beside the end tokens; it is not part of the text. The tokens up to its last one are given.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Prompts that are continued together. Sampling does not depend on it.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Continues prompts in order; results come batch by batch.</summary>
    /// <param name="prompts">The ids of each prompt; none is empty.</param>
    /// <param name="options">How to decode.</param>
    /// <param name="onText">Told of text as it becomes certain; with beams, when the row is done.</param>
    /// <param name="cancellation">Ends the batch after the current step; its rows come as far as they are, and no further ones.</param>
    /// <exception cref="InvalidInputException">As <see cref="TextGenerator.Generate"/>; or a stop string is empty or there is no tokenizer to find it.</exception>
    public IEnumerable<GeneratedText> Continue(
        IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, TextCallback? onText = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1, nameof(BatchSize));
        if (StopStrings.Contains("")) throw new InvalidInputException("a stop string is empty", null, "texts of at least one character");
        if (StopStrings.Count > 0 && tokenizer is null)
            throw new InvalidInputException("stop strings are wanted and the model has no tokenizer", null, null, "Leave them out, or add the tokenizer's files");
        options.Validate();
        return ContinueAll(prompts, options, onText, cancellation);
    }

    private IEnumerable<GeneratedText> ContinueAll(
        IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, TextCallback? onText, CancellationToken cancellation)
    {
        for (var first = 0; first < prompts.Count && !cancellation.IsCancellationRequested; first += BatchSize)
        {
            var batch = prompts.Skip(first).Take(BatchSize).ToList();
            var start = first;
            var streams = batch.Select((prompt, i) =>
                new TextStream(tokenizer, prompt, StopStrings, onText is null ? null : text => onText(start + i, text))).ToList();
            var rows = generator.Generate(batch, options, (row, token) => streams[row].Take(token), first, cancellation);
            for (var i = 0; i < rows.Count; i++)
            {
                var stream = streams[i];
                stream.Complete();
                // A beam is complete before its text is looked at: what follows the stop string goes.
                yield return new GeneratedText(
                    stream.Text, [.. rows[i].Tokens.Take(stream.Count)], stream.Stopped ? FinishReason.Stop : rows[i].Finish);
            }
        }
    }
}
