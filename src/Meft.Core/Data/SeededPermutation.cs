using Meft.Core.Randomness;

namespace Meft.Core.Data;

/// <summary>
/// A shuffled order that is a pure function of seed and epoch, the same on every machine and version: Fisher–Yates over the SplitMix64
/// generator (Steele, Lea, Flood 2014), bounded without bias by rejection.
/// </summary>
internal static class SeededPermutation
{
    /// <summary>The numbers 0 … count − 1 in a shuffled order.</summary>
    public static int[] Of(int count, long seed, int epoch)
    {
        var numbers = new SplitMix64(
            SplitMix64.Mix(unchecked((ulong)seed + SplitMix64.Golden)) ^ SplitMix64.Mix(unchecked(((ulong)epoch + 1) * SplitMix64.Golden + 1)));
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = (int)Below((ulong)i + 1, ref numbers);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    private static ulong Below(ulong bound, ref SplitMix64 numbers)
    {
        // Values above the last whole multiple of the bound would favour small results.
        var limit = ulong.MaxValue - ulong.MaxValue % bound;
        ulong value;
        do
        {
            value = numbers.Next();
        }
        while (value >= limit);
        return value % bound;
    }
}
