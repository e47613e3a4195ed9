namespace Meft.Core.Data;

/// <summary>A rendered conversation and where its answers stand.</summary>
/// <param name="Text">What the template renders.</param>
/// <param name="Answers">The answers' places in characters, without the token that ends each.</param>
internal sealed record AnsweredText(string Text, IReadOnlyList<Range> Answers);
