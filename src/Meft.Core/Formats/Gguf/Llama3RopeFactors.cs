namespace Meft.Core.Formats.Gguf;

/// <summary>
/// The factors by which Llama 3.1 divides rope frequencies, which GGUF files hold as a tensor (<c>rope_freqs.weight</c>, one a frequency),
/// and the parameters of config.json that they come from. With w the wavelength, o the original length: 1 where w &lt; o/high, the factor
/// where w &gt; o/low, between them 1 / ((1 − s)/factor + s) with s = (o/w − low) / (high − low).
/// </summary>
internal static class Llama3RopeFactors
{
    /// <summary>The original length that the parameters are told for; any other would do, with low and high in proportion.</summary>
    private const int UsualOriginal = 8192;

    /// <summary>The parameters.</summary>
    /// <param name="Factor">What low frequencies are divided by.</param>
    /// <param name="Low"><c>low_freq_factor</c>.</param>
    /// <param name="High"><c>high_freq_factor</c>.</param>
    /// <param name="Original"><c>original_max_position_embeddings</c>.</param>
    public readonly record struct Parameters(double Factor, double Low, double High, int Original);

    /// <summary>The factors of parameters, one a pair of a head's numbers.</summary>
    public static double[] Of(Parameters parameters, double theta, int headSize) => [.. Enumerable.Range(0, headSize / 2).Select(i =>
    {
        var turns = parameters.Original * Frequency(theta, i, headSize) / (2 * Math.PI);
        if (turns > parameters.High) return 1;
        if (turns < parameters.Low) return parameters.Factor;
        var kept = (turns - parameters.Low) / (parameters.High - parameters.Low);
        return 1 / ((1 - kept) / parameters.Factor + kept);
    })];

    /// <summary>Parameters that give the factors; null where none do.</summary>
    /// <param name="factors">The factors, from the highest frequency to the lowest.</param>
    /// <param name="theta">The base of the frequencies.</param>
    /// <param name="headSize">Twice as many as factors.</param>
    /// <param name="original">The original length where the file states it.</param>
    public static Parameters? Find(IReadOnlyList<float> factors, double theta, int headSize, int? original)
    {
        if (factors.Count == 0 || factors.Any(f => !float.IsFinite(f) || f < 1)) return null;
        var length = original ?? UsualOriginal;
        double factor = factors[^1];
        var (low, high) = Fit(factors, factor, theta, headSize, length);
        // Llama 3.1's own numbers before others, and numbers of few digits before those as float32 gives them.
        Parameters[] candidates = [new(factor, 1, 4, length), new(factor, Math.Round(low, 2), Math.Round(high, 2), length), new(factor, low, high, length)];
        foreach (var found in candidates)
        {
            if (!(found.Low > 0 && found.High > found.Low)) continue;
            if (Of(found, theta, headSize).Zip(factors).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-4 * pair.Second)) return found;
        }
        return null;
    }

    private static (double Low, double High) Fit(IReadOnlyList<float> factors, double factor, double theta, int headSize, int length)
    {
        // Turns within the original length: of the slowest kept frequency, the fastest divided one, and those between with their share s.
        double slowestKept = double.PositiveInfinity, fastestDivided = 0;
        var between = new List<(double Turns, double Kept)>();
        for (var i = 0; i < factors.Count; i++)
        {
            var turns = length * Frequency(theta, i, headSize) / (2 * Math.PI);
            if (factors[i] == 1) slowestKept = turns;
            else if (factors[i] < factor) between.Add((turns, (1.0 / factors[i] - 1 / factor) / (1 - 1 / factor)));
            else fastestDivided = Math.Max(fastestDivided, turns);
        }
        return Bounds(between, slowestKept, fastestDivided);
    }

    /// <summary>The numbers of turns at which s is 0 and 1: on the line through what lies between, or within the gap.</summary>
    private static (double Low, double High) Bounds(List<(double Turns, double Kept)> between, double slowestKept, double fastestDivided)
    {
        if (between.Count >= 2)
        {
            var ((x1, s1), (x2, s2)) = (between[0], between[^1]);
            var slope = (s1 - s2) / (x1 - x2);
            return (x1 - s1 / slope, x1 + (1 - s1) / slope);
        }
        if (between.Count == 1)
        {
            // Any two bounds on a line through it will do that leave the others out.
            var (turns, kept) = between[0];
            var least = double.IsPositiveInfinity(slowestKept) ? fastestDivided : Math.Max(fastestDivided, (turns - kept * slowestKept) / (1 - kept));
            var low = (least + turns) / 2;
            return (low, low + (turns - low) / kept);
        }
        if (double.IsPositiveInfinity(slowestKept)) return (fastestDivided * 2, fastestDivided * 4);
        return (fastestDivided + (slowestKept - fastestDivided) / 3, fastestDivided + (slowestKept - fastestDivided) * 2 / 3);
    }

    private static double Frequency(double theta, int pair, int headSize) => Math.Pow(theta, -2.0 * pair / headSize);
}
