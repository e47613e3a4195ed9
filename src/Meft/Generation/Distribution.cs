namespace Meft.Generation;

/// <summary>The tokens that are not banned, with the natural logarithms of their probabilities; in float64.</summary>
internal sealed record Distribution(int[] Tokens, double[] LogProbabilities)
{
    /// <summary>scores [V] → the softmax over the finite ones.</summary>
    public static Distribution Of(ReadOnlySpan<float> scores)
    {
        var count = 0;
        var largest = double.NegativeInfinity;
        foreach (var score in scores)
        {
            if (float.IsNegativeInfinity(score)) continue;
            count++;
            largest = Math.Max(largest, score);
        }
        var tokens = new int[count];
        var logs = new double[count];
        double sum = 0;
        for (int token = 0, at = 0; token < scores.Length; token++)
        {
            if (float.IsNegativeInfinity(scores[token])) continue;
            tokens[at] = token;
            logs[at] = scores[token];
            sum += Math.Exp(logs[at++] - largest);
        }
        var normalizer = largest + Math.Log(sum);
        for (var i = 0; i < count; i++) logs[i] -= normalizer;
        return new Distribution(tokens, logs);
    }
}
