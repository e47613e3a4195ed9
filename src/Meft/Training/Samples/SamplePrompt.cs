using Meft.Core.Data;
using Meft.Core.Tokenization;

namespace Meft.Training.Samples;

/// <summary>A prompt that is continued at every evaluation.</summary>
/// <param name="Ids">Its tokens, at least one.</param>
/// <param name="Text">Its text, without special tokens.</param>
/// <param name="Expected">What the row says comes next; null for a prompt that is of no row.</param>
public sealed record SamplePrompt(IReadOnlyList<int> Ids, string Text, string? Expected)
{
    /// <summary>The prompt of a row without an untrained beginning, a text, is its beginning: so many tokens at most, and at most a half.</summary>
    private const int MostOfText = 32;

    /// <summary>It goes on for so many tokens where it would end within a word.</summary>
    private const int MostWithinWord = 8;

    /// <summary>
    /// The prompt of a row: what stands before its first trained token, and its first trained part as what is expected. Of a text, which is trained from
    /// its beginning on, the prompt is the first half, at most 32 tokens, to the end of its last word.
    /// </summary>
    /// <param name="row">At least two tokens, one of them trained.</param>
    /// <param name="tokenizer">The model's.</param>
    public static SamplePrompt Of(TokenRow row, ITokenizer tokenizer)
    {
        var begin = tokenizer.BeginTokens.Count;
        var first = Array.FindIndex(row.Labels, label => label != TokenRow.Ignored);
        if (first <= begin)
        {
            first = Math.Clamp(row.Length / 2, 1, begin + MostOfText);
            for (var more = 0; more < MostWithinWord && first < row.Length - 1 && !BeginsWord(first); more++) first++;
        }
        var end = first;
        while (end < row.Length && row.Labels[end] != TokenRow.Ignored) end++;
        var (prompt, all) = (Text(row.InputIds.AsSpan(..first)), Text(row.InputIds.AsSpan(..end)));
        // Decoded by itself, what is expected would lose the space that it begins with.
        return new SamplePrompt(row.InputIds[..first], prompt, all.StartsWith(prompt, StringComparison.Ordinal) ? all[prompt.Length..] : Text(row.InputIds.AsSpan(first..end)));

        bool BeginsWord(int at) =>
            Text(row.InputIds.AsSpan(..(at + 1))).AsSpan(Text(row.InputIds.AsSpan(..at)).Length) is [var next, ..] && char.IsWhiteSpace(next);

        string Text(ReadOnlySpan<int> ids) => tokenizer.Decode(ids, skipSpecialTokens: true);
    }

    /// <summary>A prompt that the config gives.</summary>
    /// <param name="text">The text, continued as it is.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="limits">What the model takes.</param>
    /// <exception cref="Core.Errors.InvalidInputException">The prompt has no token, or too many.</exception>
    public static SamplePrompt Of(string text, ITokenizer tokenizer, ModelLimits limits) =>
        new(PromptRows.Of(text, "evaluate.prompts", tokenizer, limits).InputIds, text, null);
}
