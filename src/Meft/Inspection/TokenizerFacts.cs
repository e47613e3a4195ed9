namespace Meft.Inspection;

/// <summary>A tokenizer.</summary>
/// <param name="Form">The files that it is read from, as docs/inspect.md lists them.</param>
/// <param name="Algorithm">How it makes tokens: <c>BPE</c> or <c>Unigram</c>.</param>
/// <param name="VocabularySize">One more than its largest id.</param>
/// <param name="AddedTokens">Tokens that are found in a text before it is split.</param>
/// <param name="Begin">Tokens it puts before every text.</param>
/// <param name="End">Tokens that end the model's answers; without a model the tokenizer's own end token.</param>
/// <param name="SpecialTokens">The tokens that have a part to play.</param>
/// <param name="ChatTemplate">Whether there is a chat template.</param>
/// <param name="Source">The file that the tokenizer is read from, of several the first.</param>
/// <param name="TemplateSource">The file that the template is read from; null where there is none.</param>
public sealed record TokenizerFacts(
    string Form, string Algorithm, int VocabularySize, int AddedTokens, IReadOnlyList<string> Begin, IReadOnlyList<string> End,
    IReadOnlyList<SpecialToken> SpecialTokens, bool ChatTemplate, string Source, string? TemplateSource);

/// <summary>A token with a part to play.</summary>
/// <param name="Name">The part, as tokenizer_config.json names it: <c>bos_token</c> …</param>
/// <param name="Token">The token's text.</param>
/// <param name="Id">Its id; null where the tokenizer does not have it.</param>
public sealed record SpecialToken(string Name, string Token, int? Id);
