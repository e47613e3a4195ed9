namespace Meft.Generation;

/// <summary>
/// Makes tokens that have occurred less likely: a positive score is divided by the penalty, a negative one multiplied
/// (CTRL, arXiv 1909.05858). A token counts once however often it occurred.
/// </summary>
public sealed class RepetitionPenalty(double penalty) : ILogitsProcessor
{
    private readonly float _penalty = (float)penalty;

    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, Span<float> scores)
    {
        var seen = new HashSet<int>();
        foreach (var token in tokens)
        {
            if (token >= scores.Length || !seen.Add(token)) continue;
            scores[token] = scores[token] < 0 ? scores[token] * _penalty : scores[token] / _penalty;
        }
    }
}
