namespace Meft.Generation;

/// <summary>Bans every token that would complete a run of <paramref name="size"/> tokens that has already occurred.</summary>
public sealed class NoRepeatNgram(int size) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, Span<float> scores)
    {
        if (tokens.Length < size) return;
        var end = tokens[^(size - 1)..];
        for (var at = 0; at + size <= tokens.Length; at++)
        {
            if (tokens.Slice(at, size - 1).SequenceEqual(end)) scores[tokens[at + size - 1]] = float.NegativeInfinity;
        }
    }
}
