namespace Meft.Core.Data;

/// <summary>
/// A shuffled order that is a pure function of seed and epoch, the same on every machine and version: Fisher–Yates over the SplitMix64
/// generator (Steele, Lea, Flood 2014), bounded without bias by rejection.
/// </summary>
internal static class SeededPermutation
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>The numbers 0 … count − 1 in a shuffled order.</summary>
    public static int[] Of(int count, long seed, int epoch)
    {
        var state = Mix(unchecked((ulong)seed + Golden)) ^ Mix(unchecked(((ulong)epoch + 1) * Golden + 1));
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = (int)Below((ulong)i + 1, ref state);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    private static ulong Below(ulong bound, ref ulong state)
    {
        // Values above the last whole multiple of the bound would favour small results.
        var limit = ulong.MaxValue - ulong.MaxValue % bound;
        ulong value;
        do
        {
            state = unchecked(state + Golden);
            value = Mix(state);
        }
        while (value >= limit);
        return value % bound;
    }

    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
