using Meft.Core.Formats.HuggingFace;

namespace Meft.Tests.Models;

/// <summary>
/// Rotary position embeddings by their published definitions (RoFormer, Llama 3.1, YaRN, LongRoPE) with the conventions of transformers, one number after
/// another; for <see cref="ReferenceDecoder"/>.
/// </summary>
internal static class ReferenceRotary
{
    /// <summary>Turns the numbers of one head, in place, as they are turned at a position of a row of some length.</summary>
    public static void Turn(double[] head, RopeConfig rope, int position, int rowLength)
    {
        // The first numbers of a head turn, number i with number i + half; the others stay.
        var turned = (int)(head.Length * rope.PartialFactor);
        var half = turned / 2;
        var factor = AttentionFactor(rope);
        for (var pair = 0; pair < half; pair++)
        {
            var angle = position * Frequency(rope, turned, pair, rowLength);
            var (x, y) = (head[pair], head[pair + half]);
            head[pair] = factor * (x * Math.Cos(angle) - y * Math.Sin(angle));
            head[pair + half] = factor * (y * Math.Cos(angle) + x * Math.Sin(angle));
        }
    }

    private static double Frequency(RopeConfig rope, int turned, int pair, int rowLength)
    {
        var plain = 1 / Math.Pow(rope.Theta, 2.0 * pair / turned);
        return rope.Type switch
        {
            RopeType.Default => plain,
            RopeType.Linear => plain / rope.Factor,
            RopeType.Llama3 => Between(plain, rope.Factor, 1 - KeptByLlama3(rope, plain)),
            RopeType.Yarn => Between(plain, rope.Factor, DividedByYarn(rope, turned, pair)),
            RopeType.Longrope => plain / (rowLength > rope.OriginalMaxPositions ? rope.LongFactors : rope.ShortFactors)[pair],
            _ => throw new NotSupportedException($"no definition of {rope.Type}"),
        };
    }

    // A share of the way from the frequency to the frequency over the factor.
    private static double Between(double frequency, double factor, double share) => (1 - share) * frequency + share * frequency / factor;

    // By how often a frequency turns within the original length: from the high factor on it is kept, up to the low factor it is divided, with a line between.
    private static double KeptByLlama3(RopeConfig rope, double frequency)
    {
        var turns = rope.OriginalMaxPositions * frequency / (2 * Math.PI);
        return Math.Clamp((turns - rope.LowFrequencyFactor) / (rope.HighFrequencyFactor - rope.LowFrequencyFactor), 0, 1);
    }

    // By the index of the pair: those up to the one that turns beta_fast times within the original length are kept, those from the one that turns beta_slow
    // times are divided, with a line between.
    private static double DividedByYarn(RopeConfig rope, int turned, int pair)
    {
        double first = PairOf(rope.BetaFast), last = PairOf(rope.BetaSlow);
        if (rope.Truncate)
        {
            first = Math.Floor(first);
            last = Math.Ceiling(last);
        }
        first = Math.Max(first, 0);
        last = Math.Min(last, turned - 1);
        if (first == last) last += 0.001;
        return Math.Clamp((pair - first) / (last - first), 0, 1);

        // original = rotations · 2π · theta^(2p / turned), solved for p.
        double PairOf(double rotations) => turned / 2.0 * Math.Log(rope.OriginalMaxPositions / (rotations * 2 * Math.PI), rope.Theta);
    }

    // What cosines and sines are multiplied by.
    private static double AttentionFactor(RopeConfig rope)
    {
        if (rope.Type is not (RopeType.Yarn or RopeType.Longrope)) return 1;
        if (rope.AttentionFactor is { } given) return given;
        if (rope.Factor <= 1) return 1;
        var logarithm = Math.Log(rope.Factor);
        if (rope.Type == RopeType.Longrope) return Math.Sqrt(1 + logarithm / Math.Log(rope.OriginalMaxPositions));
        if (rope.Mscale is { } numerator && rope.MscaleAllDimensions is { } denominator && numerator != 0 && denominator != 0)
            return (0.1 * numerator * logarithm + 1) / (0.1 * denominator * logarithm + 1);
        return 0.1 * logarithm + 1;
    }
}
