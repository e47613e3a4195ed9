using Meft.Core.Formats.HuggingFace;

namespace Meft.Models;

/// <summary>
/// The angle a position turns each pair of a head's numbers by, for every rope type. Formulas: RoFormer (arXiv 2104.09864),
/// Llama 3.1's published scaling, YaRN (arXiv 2309.00071), LongRoPE (arXiv 2402.13753); the conventions are those of transformers.
/// </summary>
/// <param name="Inverse">Radians a position, one a pair that is turned.</param>
/// <param name="AttentionFactor">What cosines and sines are multiplied by.</param>
internal sealed record RotaryFrequencies(double[] Inverse, double AttentionFactor)
{
    /// <summary>The frequencies of rows longer than <see cref="ShortLength"/>; null: those of all rows.</summary>
    public double[]? LongInverse { get; private init; }

    /// <summary>The longest row, in tokens, that <see cref="Inverse"/> is for where long rows have frequencies of their own.</summary>
    public int ShortLength { get; private init; } = int.MaxValue;

    /// <summary>The frequencies for a row of a length.</summary>
    public double[] InverseOf(int length) => length > ShortLength ? LongInverse! : Inverse;

    /// <summary>The frequencies of a rope config for heads of a size.</summary>
    public static RotaryFrequencies Of(RopeConfig rope, int headSize)
    {
        headSize = rope.TurnedOf(headSize);
        var plain = new double[headSize / 2];
        for (var i = 0; i < plain.Length; i++) plain[i] = Math.Pow(rope.Theta, -2.0 * i / headSize);
        return rope.Type switch
        {
            RopeType.Linear => new([.. plain.Select(f => f / rope.Factor)], rope.CosineFactor),
            RopeType.Llama3 => new([.. plain.Select(f => Llama3(f, rope))], rope.CosineFactor),
            RopeType.Yarn => new(Yarn(plain, rope, headSize), rope.CosineFactor),
            RopeType.Longrope => new([.. plain.Zip(rope.ShortFactors, (f, factor) => f / factor)], rope.CosineFactor)
            {
                LongInverse = [.. plain.Zip(rope.LongFactors, (f, factor) => f / factor)],
                ShortLength = rope.OriginalMaxPositions,
            },
            _ => new(plain, rope.CosineFactor),
        };
    }

    private static double Llama3(double frequency, RopeConfig rope)
    {
        var wavelength = 2 * Math.PI / frequency;
        if (wavelength < rope.OriginalMaxPositions / rope.HighFrequencyFactor) return frequency;
        if (wavelength > rope.OriginalMaxPositions / rope.LowFrequencyFactor) return frequency / rope.Factor;
        var kept = (rope.OriginalMaxPositions / wavelength - rope.LowFrequencyFactor)
            / (rope.HighFrequencyFactor - rope.LowFrequencyFactor);
        return (1 - kept) * frequency / rope.Factor + kept * frequency;
    }

    private static double[] Yarn(double[] plain, RopeConfig rope, int headSize)
    {
        var low = DimensionOf(rope.BetaFast);
        var high = DimensionOf(rope.BetaSlow);
        if (rope.Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, headSize - 1));
        if (low == high) high += 0.001;
        return [.. plain.Select((f, i) =>
        {
            var divided = Math.Clamp((i - low) / (high - low), 0, 1);
            return f / rope.Factor * divided + f * (1 - divided);
        })];

        // The (fractional) pair whose wavelength fits this many times into the original length.
        double DimensionOf(double rotations) =>
            headSize * Math.Log(rope.OriginalMaxPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(rope.Theta));
    }
}
