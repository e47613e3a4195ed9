using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using Shouldly;

namespace Meft.Tests.Models;

public class RotaryFrequenciesTests
{
    private static readonly RopeConfig Yarn = new() { Type = RopeType.Yarn, Factor = 4, OriginalMaxPositions = 64 };

    [Fact]
    public void Plain_and_linear()
    {
        RotaryFrequencies.Of(new(), 4).Inverse.ShouldBe([1, 0.01], 1e-15);
        RotaryFrequencies.Of(new() { Type = RopeType.Linear, Factor = 2 }, 4).Inverse.ShouldBe([0.5, 0.005], 1e-15);
    }

    [Fact]
    public void Llama3_keeps_high_frequencies_and_divides_low_ones()
    {
        var rope = new RopeConfig { Type = RopeType.Llama3, Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalMaxPositions = 32 };
        var frequencies = RotaryFrequencies.Of(rope, 8).Inverse;
        // Wavelengths 6.3, 63 and up against the ends 8 and 32.
        frequencies.ShouldBe([1, 0.1 / 8, 0.01 / 8, 0.001 / 8], 1e-15);
        // A wavelength of 16 lies a third of the way: kept = (32 / 16 - 1) / (4 - 1).
        var between = RotaryFrequencies.Of(rope with { Theta = Math.Pow(16 / (2 * Math.PI), 2) }, 4).Inverse[1];
        between.ShouldBe(2 * Math.PI / 16 * (2.0 / 3 / 8 + 1.0 / 3), 1e-12);
    }

    [Fact]
    public void Yarn_goes_from_kept_to_divided_frequencies()
    {
        // 64 positions hold 32 rotations below pair 0 and one rotation at pair 1.008: the ramp runs from 0 to 2.
        var frequencies = RotaryFrequencies.Of(Yarn, 8).Inverse;
        double[] divided = [0, 0.5, 1, 1];
        frequencies.ShouldBe(divided.Select((d, i) => Math.Pow(10, -i) * (1 - d + d / 4)), 1e-12);

        var exact = RotaryFrequencies.Of(Yarn with { Truncate = false }, 8).Inverse;
        var end = 8 * Math.Log(64 / (2 * Math.PI)) / (2 * Math.Log(10_000));
        exact[1].ShouldBe(0.1 * (1 - 0.75 * (1 / end)), 1e-12);
    }

    [Theory]
    [InlineData(null, null, null, 1.1386294361119891)]
    [InlineData(1.5, null, null, 1.5)]
    [InlineData(null, 0.5, null, 1.1386294361119891)]
    [InlineData(null, 0.5, 1.0, 1.0693147180559945 / 1.1386294361119891)]
    public void Yarns_attention_factor(double? given, double? mscale, double? all, double expected) =>
        RotaryFrequencies.Of(Yarn with { AttentionFactor = given, Mscale = mscale, MscaleAllDimensions = all }, 8)
            .AttentionFactor.ShouldBe(expected, 1e-12);
}
