namespace Meft.Generation;

/// <summary>
/// Keeps the tokens whose surprise is nearest to the expected one and that together have a share of the probability, at least
/// one (locally typical sampling, arXiv 2202.00666).
/// </summary>
public sealed class TypicalP(double share) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, Span<float> scores)
    {
        var distribution = Distribution.Of(scores);
        var entropy = -distribution.LogProbabilities.Sum(log => Math.Exp(log) * log);
        var distances = distribution.LogProbabilities.Select(log => Math.Abs(-log - entropy)).ToArray();
        var order = Enumerable.Range(0, distances.Length).ToArray();
        Array.Sort([.. distances], order);
        var last = 0;
        for (double cumulated = 0; last < order.Length - 1; last++)
        {
            cumulated += Math.Exp(distribution.LogProbabilities[order[last]]);
            if (cumulated >= share) break;
        }
        var farthest = distances[order[last]];
        for (var i = 0; i < distances.Length; i++)
        {
            if (distances[i] > farthest) scores[distribution.Tokens[i]] = float.NegativeInfinity;
        }
    }
}
