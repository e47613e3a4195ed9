namespace Meft.Core.Tokenization.PostProcessing;

/// <summary>The special tokens that are put around a text.</summary>
/// <param name="Begin">Ids before the text.</param>
/// <param name="End">Ids after the text.</param>
internal sealed record SpecialTokensTemplate(IReadOnlyList<int> Begin, IReadOnlyList<int> End)
{
    /// <summary>Nothing is added.</summary>
    public static SpecialTokensTemplate Empty { get; } = new([], []);

    /// <summary>
    /// The template as tokenizer_config.json wants it: transformers lets a flag there decide whether its beginning or end token is added,
    /// whatever tokenizer.json says.
    /// </summary>
    public SpecialTokensTemplate With(bool? addsBegin, int? begin, bool? addsEnd, int? end) => new(
        begin is { } first ? Adjust(Begin, first, addsBegin, atStart: true) : Begin,
        end is { } last ? Adjust(End, last, addsEnd, atStart: false) : End);

    private static IReadOnlyList<int> Adjust(IReadOnlyList<int> tokens, int token, bool? isAdded, bool atStart) => isAdded switch
    {
        null => tokens,
        true when tokens.Contains(token) => tokens,
        true => atStart ? [token, .. tokens] : [.. tokens, token],
        false => [.. tokens.Where(other => other != token)],
    };

    /// <summary>This template, and another one around its result.</summary>
    public SpecialTokensTemplate Then(SpecialTokensTemplate outer) => new([.. outer.Begin, .. Begin], [.. End, .. outer.End]);
}
