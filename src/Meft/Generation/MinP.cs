namespace Meft.Generation;

/// <summary>Bans tokens whose probability is below a share of the likeliest one's (arXiv 2407.01082).</summary>
public sealed class MinP(double share) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, Span<float> scores)
    {
        var largest = float.NegativeInfinity;
        foreach (var score in scores) largest = Math.Max(largest, score);
        var threshold = largest + Math.Log(share);
        foreach (ref var score in scores)
        {
            if (score < threshold) score = float.NegativeInfinity;
        }
    }
}
