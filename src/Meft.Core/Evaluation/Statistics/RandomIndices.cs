using Meft.Core.Randomness;

namespace Meft.Core.Evaluation.Statistics;

/// <summary>
/// Whole numbers drawn evenly, the same for a seed on every machine and version: SplitMix64 (Steele, Lea, Flood 2014), bounded without bias by
/// multiplication and rejection (Lemire 2019).
/// </summary>
/// <param name="seed">Any number.</param>
internal sealed class RandomIndices(ulong seed)
{
    private SplitMix64 _numbers = new(seed);

    /// <summary>A number from 0 to <paramref name="bound"/> − 1.</summary>
    public int Below(int bound)
    {
        var range = (ulong)bound;
        var rest = unchecked(0 - range) % range;
        while (true)
        {
            var high = Math.BigMul(_numbers.Next(), range, out var low);
            if (low >= rest) return (int)high;
        }
    }
}
