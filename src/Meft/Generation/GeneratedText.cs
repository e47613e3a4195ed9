namespace Meft.Generation;

/// <summary>What was generated for one prompt, as text.</summary>
/// <param name="Text">The new text, without special tokens and without the stop string that ended it; null where there is no tokenizer.</param>
/// <param name="OutputIds">The new tokens, an end token included.</param>
/// <param name="Finish">Why it ended.</param>
public sealed record GeneratedText(string? Text, IReadOnlyList<int> OutputIds, FinishReason Finish);

/// <summary>Called for each piece of text as it becomes certain.</summary>
/// <param name="row">The prompt's index.</param>
/// <param name="text">The piece, never half a character and never part of a stop string.</param>
public delegate void TextCallback(int row, string text);
