namespace Meft.Core.Tokenization.PostProcessing;

/// <summary>The special tokens that are put around a text.</summary>
/// <param name="Begin">Ids before the text.</param>
/// <param name="End">Ids after the text.</param>
internal sealed record SpecialTokensTemplate(IReadOnlyList<int> Begin, IReadOnlyList<int> End)
{
    /// <summary>Nothing is added.</summary>
    public static SpecialTokensTemplate Empty { get; } = new([], []);

    /// <summary>This template, and another one around its result.</summary>
    public SpecialTokensTemplate Then(SpecialTokensTemplate outer) => new([.. outer.Begin, .. Begin], [.. End, .. outer.End]);
}
