namespace Meft.Evaluation;

/// <summary>A row to score.</summary>
/// <param name="Ids">The token ids.</param>
/// <param name="Labels">
/// One a token: its own id where it is scored, <see cref="NotScored"/> where not; null to score every token after the first. The
/// first token is never scored, since nothing predicts it.
/// </param>
public sealed record ScoredRow(IReadOnlyList<int> Ids, IReadOnlyList<int>? Labels = null)
{
    /// <summary>The label of a token that is not scored.</summary>
    public const int NotScored = -100;

    /// <summary>What the token at a position predicts: the next token's label.</summary>
    internal int TargetOf(int position) =>
        position + 1 >= Ids.Count ? NotScored : Labels is null ? Ids[position + 1] : Labels[position + 1];
}

/// <summary>How well a model predicts a row.</summary>
/// <param name="Tokens">The row's tokens.</param>
/// <param name="TokenNll">The negative log-likelihood of each scored token, in nats, in order.</param>
public sealed record SequenceScore(int Tokens, IReadOnlyList<float> TokenNll)
{
    /// <summary>The sum over scored tokens, in nats.</summary>
    public double Nll { get; } = TokenNll.Sum(nll => (double)nll);

    /// <summary>The mean over scored tokens, in nats; NaN where none is scored.</summary>
    public double MeanNll => Nll / TokenNll.Count;

    /// <summary>exp of the mean; NaN where no token is scored.</summary>
    public double Perplexity => Math.Exp(MeanNll);

    /// <summary>The score of a row that was scored in pieces.</summary>
    public static SequenceScore Join(IReadOnlyList<SequenceScore> pieces) => pieces is [var only]
        ? only
        : new SequenceScore(pieces.Sum(p => p.Tokens), [.. pieces.SelectMany(p => p.TokenNll)]);
}
