using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

public class RotaryFrequenciesTests
{
    private static readonly RopeConfig Yarn = new() { Type = RopeType.Yarn, Factor = 4, OriginalMaxPositions = 64 };

    // Six of a head's eight numbers turn: without factors by 1, 0.1 and 0.01 a position.
    private static readonly RopeConfig LongRope = new()
    {
        Type = RopeType.Longrope,
        Theta = 1000,
        PartialFactor = 0.75,
        Factor = 4,
        OriginalMaxPositions = 64,
        ShortFactors = [1, 1.25, 2],
        LongFactors = [1.6, 4, 50],
    };

    private static readonly double[] Short = [1, 0.08, 0.005], Long = [0.625, 0.025, 0.0002];

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

    [Fact]
    public void Longrope_divides_by_short_factors_up_to_the_original_length_and_by_long_ones_beyond()
    {
        var frequencies = RotaryFrequencies.Of(LongRope, 8);
        foreach (var length in new[] { 1, 63, 64 }) frequencies.InverseOf(length).ShouldBe(Short, 1e-15);
        foreach (var length in new[] { 65, 256, 100_000 }) frequencies.InverseOf(length).ShouldBe(Long, 1e-15);
    }

    [Fact]
    public void Phi4_minis_heads_of_128_turn_three_quarters_with_a_factor_for_each_of_48_pairs()
    {
        double[] shorter = [.. Enumerable.Range(0, 48).Select(i => 1 + i / 100.0)], longer = [.. Enumerable.Range(0, 48).Select(i => 1 + i * i / 10.0)];
        var frequencies = RotaryFrequencies.Of(LongRope with { Theta = 10_000, OriginalMaxPositions = 4096, ShortFactors = shorter, LongFactors = longer }, 128);
        frequencies.InverseOf(4096).ShouldBe(Divided(shorter), 1e-15);
        frequencies.InverseOf(4097).ShouldBe(Divided(longer), 1e-15);

        static IEnumerable<double> Divided(double[] factors) => factors.Select((factor, i) => 1 / (factor * Math.Pow(10_000, 2 * i / 96.0)));
    }

    // The square of the factor is 1 + ln f / ln original, f the positions over the original ones: of powers of two a quotient of their exponents.
    [Theory]
    [InlineData(131_072, 4096, null, 1 + 5.0 / 12)] // Phi-3 and Phi-4-mini
    [InlineData(256, 64, null, 1 + 2.0 / 6)]
    [InlineData(4096, 4096, null, 1.0)]
    [InlineData(2048, 4096, null, 1.0)]
    [InlineData(131_072, 4096, 1.25, 1.25 * 1.25)]
    public void Longropes_attention_factor(int positions, int original, double? given, double square)
    {
        var stated = given is { } factor ? $"\"attention_factor\": {factor}, " : "";
        var config = ModelConfigReader.Parse($$"""
            {"architectures": ["Phi3ForCausalLM"], "vocab_size": 100, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2,
             "max_position_embeddings": {{positions}}, "original_max_position_embeddings": {{original}}, "partial_rotary_factor": 0.75, "rope_theta": 1000,
             "rope_scaling": {"type": "longrope", {{stated}}"short_factor": [1, 1.25, 2], "long_factor": [1.6, 4, 50]}
            }
            """);
        var frequencies = RotaryFrequencies.Of(config.Rope, config.HeadSize);
        frequencies.AttentionFactor.ShouldBe(Math.Sqrt(square), 1e-12);
        frequencies.InverseOf(original).ShouldBe(Short, 1e-15);
        frequencies.InverseOf(original + 1).ShouldBe(Long, 1e-15);
    }

    [Fact]
    public void Longropes_rows_of_one_batch_turn_each_by_the_factors_of_its_own_length()
    {
        using var layout = TokenLayout.FromLengths([3, 4], CPU);
        using var tables = RotaryTables.Of(layout, RotaryFrequencies.Of(LongRope with { OriginalMaxPositions = 3, AttentionFactor = 1.5 }, 8), ScalarType.Float64);
        double[] angles = [.. Angles(3, Short), .. Angles(4, Long)];
        tables.Cosine.data<double>().ToArray().ShouldBe(angles.Select(angle => 1.5 * Math.Cos(angle)), 1e-14);
        tables.Sine.data<double>().ToArray().ShouldBe(angles.Select(angle => 1.5 * Math.Sin(angle)), 1e-14);

        static IEnumerable<double> Angles(int length, double[] inverse) => Enumerable.Range(0, length).SelectMany(position => inverse.Select(f => position * f));
    }
}
