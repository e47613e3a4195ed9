namespace Meft.Generation;

/// <summary>Chooses a token by its score.</summary>
internal static class TokenChoice
{
    /// <summary>The likeliest token; of equal ones the lowest.</summary>
    public static int Likeliest(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var token = 1; token < scores.Length; token++)
        {
            if (scores[token] > scores[best]) best = token;
        }
        return best;
    }

    /// <summary>A token drawn from the softmax of the scores.</summary>
    public static int Draw(ReadOnlySpan<float> scores, RandomStream random)
    {
        var distribution = Distribution.Of(scores);
        var drawn = random.NextDouble();
        for (var i = 0; i < distribution.Tokens.Length; i++)
        {
            drawn -= Math.Exp(distribution.LogProbabilities[i]);
            if (drawn < 0) return distribution.Tokens[i];
        }
        // Rounding left a rest: the likeliest.
        return Likeliest(scores);
    }
}
