namespace Meft.Generation;

/// <summary>Changes the scores of a row's next token before it is chosen.</summary>
public interface ILogitsProcessor
{
    /// <summary>Changes scores in place; a banned token gets negative infinity.</summary>
    /// <param name="tokens">The row so far, prompt and new tokens.</param>
    /// <param name="scores">[V], one a token of the vocabulary.</param>
    void Process(ReadOnlySpan<int> tokens, Span<float> scores);
}
