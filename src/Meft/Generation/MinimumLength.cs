namespace Meft.Generation;

/// <summary>Bans the end tokens while the row, prompt and new tokens together, is shorter than a length.</summary>
public sealed class MinimumLength(int length, IReadOnlyList<int> endTokens) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, Span<float> scores)
    {
        if (tokens.Length >= length) return;
        foreach (var token in endTokens)
        {
            if (token < scores.Length) scores[token] = float.NegativeInfinity;
        }
    }
}
