namespace Meft.Core.Evaluation.Statistics;

/// <summary>
/// Whole numbers drawn evenly, the same for a seed on every machine and version: SplitMix64 (Steele, Lea, Flood 2014), bounded without bias by
/// multiplication and rejection (Lemire 2019).
/// </summary>
/// <param name="seed">Any number.</param>
internal sealed class RandomIndices(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A number from 0 to <paramref name="bound"/> − 1.</summary>
    public int Below(int bound)
    {
        var range = (ulong)bound;
        var rest = unchecked(0 - range) % range;
        while (true)
        {
            var high = Math.BigMul(Next(), range, out var low);
            if (low >= rest) return (int)high;
        }
    }

    private ulong Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            var z = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
