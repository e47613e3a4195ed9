namespace Meft.Core.Planning;

/// <summary>
/// How many distinct neurons of a layer a micro-batch activates, U, before any is known: an expectation and a bound that always holds.
/// </summary>
/// <remarks>
/// A token activates at most <c>a = min(k, candidates / 2)</c> neurons: k by the limit, and of its candidates about half have a positive
/// score. Were the T·a activations spread evenly, R·(1 − e^(−T·a/R)) distinct ones would be hit. Tokens of a text resemble each other, so that
/// a token more brings fewer new neurons than its share: <c>U = R·(1 − e^(−c·(T·a/R)^b))</c> with c = 0.25 and b = 0.68, which lies within 14 % of
/// all twelve measured cells (three kinds of rows, R from 1,024 to 65,536, start values; test/…/Planning/ExpectedUnionTests). Training makes
/// tokens agree more: later in a run U is up to a third lower.
/// </remarks>
public static class ExpectedUnion
{
    private const double Crowding = 0.25, Novelty = 0.68;

    /// <summary>The expected U of a layer.</summary>
    /// <param name="rank">R.</param>
    /// <param name="experts">N; 0 without a router.</param>
    /// <param name="probe">P.</param>
    /// <param name="topK">k; 0 for no limit.</param>
    /// <param name="tokens">T.</param>
    public static long Rows(long rank, long experts, long probe, long topK, long tokens)
    {
        var spread = tokens * ActivePerToken(rank, experts, probe, topK) / rank;
        var expected = rank * (1 - Math.Exp(-Crowding * Math.Pow(spread, Novelty)));
        return Math.Min((long)Math.Round(expected), Bound(rank, experts, probe, topK, tokens));
    }

    /// <summary>What U cannot exceed: R, and T times what a token may activate.</summary>
    public static long Bound(long rank, long experts, long probe, long topK, long tokens) =>
        Math.Min(rank, SaturatedProduct(tokens, MostPerToken(rank, experts, probe, topK)));

    /// <summary>The neurons that a token activates in the mean.</summary>
    public static double ActivePerToken(long rank, long experts, long probe, long topK)
    {
        var candidates = Candidates(rank, experts, probe);
        return topK == 0 ? candidates / 2.0 : Math.Min(topK, candidates / 2.0);
    }

    /// <summary>The most neurons that a token can activate.</summary>
    public static long MostPerToken(long rank, long experts, long probe, long topK)
    {
        var candidates = Candidates(rank, experts, probe);
        return topK == 0 ? candidates : Math.Min(topK, candidates);
    }

    /// <summary>The candidates of a token: the rows of the probed experts, or all rows.</summary>
    public static long Candidates(long rank, long experts, long probe) => experts == 0 ? rank : probe * (rank / experts);

    private static long SaturatedProduct(long a, long b) => a != 0 && b > long.MaxValue / a ? long.MaxValue : a * b;
}
