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
        var (low, high) = Bounds(between, slowestKept, fastestDivided);
        var found = new Parameters(factor, Tidy(low), Tidy(high), length);
        if (!(found.Low > 0 && found.High > found.Low)) return null;
        return Of(found, theta, headSize).Zip(factors).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-4 * pair.Second) ? found : null;
    }

    /// <summary>The numbers of turns at which s is 0 and 1: on the line through what lies between, or within the gap.</summary>
    private static (double Low, double High) Bounds(List<(double Turns, double Kept)> between, double slowestKept, double fastestDivided)
    {
        const double UsualRatio = 4;
        if (between.Count >= 2)
        {
            var ((x1, s1), (x2, s2)) = (between[0], between[^1]);
            var slope = (s1 - s2) / (x1 - x2);
            return (x1 - s1 / slope, x1 + (1 - s1) / slope);
        }
        if (between.Count == 1)
        {
            var low = between[0].Turns / (1 + (UsualRatio - 1) * between[0].Kept);
            return (low, UsualRatio * low);
        }
        if (double.IsPositiveInfinity(slowestKept)) return (fastestDivided * 2, fastestDivided * 4);
        return (fastestDivided + (slowestKept - fastestDivided) / 3, fastestDivided + (slowestKept - fastestDivided) * 2 / 3);
    }

    /// <summary>Factors are of float32, so a number that nearly has few digits has them.</summary>
    private static double Tidy(double number)
    {
        var round = Math.Round(number, 2);
        return Math.Abs(round - number) < 1e-3 * number ? round : number;
    }

    private static double Frequency(double theta, int pair, int headSize) => Math.Pow(theta, -2.0 * pair / headSize);
}
