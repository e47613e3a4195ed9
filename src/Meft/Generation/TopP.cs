namespace Meft.Generation;

/// <summary>
/// Keeps the likeliest tokens that together have a share of the probability, at least one (nucleus sampling, arXiv 1904.09751).
/// </summary>
public sealed class TopP(double share) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, Span<float> scores)
    {
        var distribution = Distribution.Of(scores);
        Array.Sort(distribution.LogProbabilities, distribution.Tokens);
        // From the unlikeliest on, what fits into the rest of the probability goes.
        var rest = 1 - share;
        double cumulated = 0;
        for (var i = 0; i < distribution.Tokens.Length - 1; i++)
        {
            cumulated += Math.Exp(distribution.LogProbabilities[i]);
            if (cumulated > rest) break;
            scores[distribution.Tokens[i]] = float.NegativeInfinity;
        }
    }
}
