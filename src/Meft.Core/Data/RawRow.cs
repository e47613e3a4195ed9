using System.Text.Json;

namespace Meft.Core.Data;

/// <summary>A row of a data file before it is tokenised.</summary>
/// <param name="Origin">Where it came from.</param>
public abstract record RawRow(RowOrigin Origin);

/// <summary>A text, trained as a whole.</summary>
public sealed record TextRow(RowOrigin Origin, string Text) : RawRow(Origin);

/// <summary>A prompt and what should follow it.</summary>
public sealed record PromptCompletionRow(RowOrigin Origin, string Prompt, string Completion) : RawRow(Origin);

/// <summary>A prompt alone, for generation.</summary>
public sealed record PromptRow(RowOrigin Origin, string Prompt) : RawRow(Origin);

/// <summary>A conversation, to be rendered by the model's own chat template.</summary>
/// <param name="Origin">Where the row came from.</param>
/// <param name="Messages">An array of objects that have a <c>role</c> each.</param>
/// <param name="Tools">An array of tools that the template shows; null for none.</param>
public sealed record MessagesRow(RowOrigin Origin, JsonElement Messages, JsonElement? Tools = null) : RawRow(Origin)
{
    /// <summary>What the template is given beside the messages.</summary>
    internal IReadOnlyDictionary<string, JsonElement>? Variables { get; } =
        Tools is { } tools ? new Dictionary<string, JsonElement> { ["tools"] = tools } : null;
}

/// <summary>An instruction, with an input or without, and the answer to it.</summary>
/// <param name="Origin">Where the row came from.</param>
/// <param name="Instruction">What is to be done.</param>
/// <param name="Input">What it is to be done with; null or empty for nothing.</param>
/// <param name="Output">The answer; null in a row to be continued.</param>
public sealed record InstructionRow(RowOrigin Origin, string Instruction, string? Input, string? Output) : RawRow(Origin);

/// <summary>A row that cannot be read.</summary>
/// <param name="Error">Why not.</param>
public sealed record UnreadableRow(RowException Error) : RawRow(Error.Origin);

/// <summary>Token ids taken as they are.</summary>
/// <param name="Origin">Where the row came from.</param>
/// <param name="InputIds">The ids.</param>
/// <param name="Labels">As many labels, −100 where not trained; null where the row has none.</param>
public sealed record TokenIdsRow(RowOrigin Origin, int[] InputIds, int[]? Labels) : RawRow(Origin);
