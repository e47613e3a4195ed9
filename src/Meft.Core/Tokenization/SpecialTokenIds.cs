namespace Meft.Core.Tokenization;

/// <summary>The ids of the tokens with a part to play in training and generation; null for one that the model does not have.</summary>
/// <param name="Begin">Begins a text.</param>
/// <param name="End">Ends a text or an answer.</param>
/// <param name="Padding">Fills rows of a batch.</param>
/// <param name="Unknown">Stands for what the vocabulary cannot spell.</param>
public sealed record SpecialTokenIds(int? Begin, int? End, int? Padding, int? Unknown);
