using Meft.Core.Randomness;

namespace Meft.Generation;

/// <summary>A stream of random numbers that is the same on every platform. Streams of the same seed and different index are independent.</summary>
internal sealed class RandomStream
{
    private SplitMix64 _numbers;

    public RandomStream(ulong seed, ulong index) =>
        _numbers = new SplitMix64(SplitMix64.Mix(SplitMix64.Mix(unchecked(seed + SplitMix64.Golden)) ^ SplitMix64.Mix(~index)));

    /// <summary>The next number, from 0 to below 1.</summary>
    public double NextDouble() => (_numbers.Next() >> 11) * (1.0 / (1UL << 53));
}
