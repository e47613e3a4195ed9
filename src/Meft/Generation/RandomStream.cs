namespace Meft.Generation;

/// <summary>
/// A stream of random numbers that is the same on every platform (SplitMix64, Steele, Lea and Flood 2014). Streams of the same
/// seed and different index are independent.
/// </summary>
internal sealed class RandomStream
{
    private const ulong Increment = 0x9E3779B97F4A7C15;
    private ulong _state;

    public RandomStream(ulong seed, ulong index) => _state = Mix(Mix(seed + Increment) ^ Mix(~index));

    /// <summary>The next number, from 0 to below 1.</summary>
    public double NextDouble()
    {
        _state += Increment;
        return (Mix(_state) >> 11) * (1.0 / (1UL << 53));
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
