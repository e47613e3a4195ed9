namespace Meft.Core.Randomness;

/// <summary>The SplitMix64 generator (Steele, Lea, Flood 2014): the same numbers for a state on every machine and version.</summary>
/// <param name="state">Any number.</param>
public struct SplitMix64(ulong state)
{
    /// <summary>What the state grows by: 2^64 over the golden ratio, odd.</summary>
    public const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state = state;

    /// <summary>The next 64 bits.</summary>
    public ulong Next() => Mix(_state = unchecked(_state + Golden));

    /// <summary>Spreads the bits of a number over all 64.</summary>
    public static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
