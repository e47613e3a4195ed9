namespace Meft.Core.Evaluation.Metrics;

/// <summary>How the likelihood of a choice is made independent of its length.</summary>
public enum LengthNormalization
{
    /// <summary>Not at all: the sum over its tokens.</summary>
    None,

    /// <summary>By its tokens: the mean log-likelihood of one, as ROME compares targets.</summary>
    Tokens,

    /// <summary>By its UTF-8 bytes, which does not depend on the tokenizer: <c>acc_norm</c> of EleutherAI's harness.</summary>
    Bytes,
}

/// <summary>What the negative log-likelihoods of choices say about the right one.</summary>
public static class ChoiceScores
{
    /// <summary>The number that choices are compared by, the smaller the likelier.</summary>
    /// <param name="nll">The sum of negative log-likelihoods, in nats.</param>
    /// <param name="tokens">How many tokens it has.</param>
    /// <param name="bytes">How many UTF-8 bytes it has.</param>
    /// <param name="normalization">What it is divided by.</param>
    public static double Cost(double nll, int tokens, int bytes, LengthNormalization normalization) => normalization switch
    {
        LengthNormalization.Tokens => nll / Math.Max(1, tokens),
        LengthNormalization.Bytes => nll / Math.Max(1, bytes),
        _ => nll,
    };

    /// <summary>1 where the right choice costs less than every other, else 0: a tie is not won.</summary>
    public static double Accuracy(IReadOnlyList<double> costs, int right) =>
        Enumerable.Range(0, costs.Count).All(i => i == right || costs[right] < costs[i]) ? 1 : 0;

    /// <summary>
    /// exp(−cost) of the right choice less that of the likeliest other one: of two choices normalised by tokens, the magnitude of ROME (Meng et al.
    /// 2022, §3.4), P(o*) − P(o_c).
    /// </summary>
    public static double Magnitude(IReadOnlyList<double> costs, int right) =>
        Math.Exp(-costs[right]) - Math.Exp(-costs.Where((_, i) => i != right).Min());
}
