using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>
/// Decoders of every family against <see cref="ReferenceDecoder"/>, which shares no code with them: other tests compare one way of computing with another, and what
/// all ways have in common, as scales, windows, layer kinds and angles, none of them sees.
/// </summary>
public class ReferenceDecoderTests
{
    // How far logits may be apart in float32 and in float64, as a share of 1 + the largest logit.
    private const double Narrow = 1e-4, Wide = 1e-9;

    // Rows longer than the windows and than long-rope's original length, just as long and one token longer; of unlike length, of like length, and one alone.
    private static readonly int[][] Batches = [[14, 1, 7, RandomFamilies.ShortLength, 3], [7, 13, 6], [15]];

    private static readonly RopeConfig LongRope = new()
    {
        Type = RopeType.Longrope,
        Theta = 50,
        OriginalMaxPositions = RandomFamilies.ShortLength,
        Factor = 5,
        AttentionFactor = 1.2,
        ShortFactors = [1, 1.3, 1.7, 2.1],
        LongFactors = [2, 2.4, 3.5, 5],
    };

    // Of the four pairs of a head of eight the first is kept, the second divided in part, the others in full.
    private static readonly RopeConfig Yarn = new() { Type = RopeType.Yarn, Theta = 50, Factor = 4, OriginalMaxPositions = 10, BetaFast = 1, BetaSlow = 0.25 };

    // Layer 0 slides with a rope of its own, layer 1 sees whole rows, layer 2 slides and has no positions.
    private static readonly ModelConfig Probe = TinyDecoder.Llama with
    {
        LayerCount = 3,
        NormPlacement = NormPlacement.Around,
        NormScaling = NormScaling.OnePlusWeight,
        QueryKeyNorm = true,
        SlidingWindow = 4,
        SlidingLayers = [true, false, true],
        RotaryLayers = [true, true, false],
        Rope = LongRope,
        LocalRope = new RopeConfig { Theta = 30 },
        SoftCaps = new SoftCaps { Attention = 1.5, Logits = 3 },
        Multipliers = new Multipliers { Embedding = 2.5, Residual = 0.7, LogitDivisor = 0.6, Attention = 0.4 },
    };

    private static readonly ModelConfig Mistral = TinyDecoder.Llama with { Architecture = "MistralForCausalLM" };

    // Of the six pairs of a head of twelve the first is kept, the next two divided in part, the others in full.
    private static readonly RopeConfig Llama3 =
        new() { Type = RopeType.Llama3, Theta = 50, Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalMaxPositions = 32 };

    // What the random families do not have.
    private static readonly Dictionary<string, ModelConfig> Special = new()
    {
        ["probe"] = Probe,
        ["a window of one token"] = Mistral with { SlidingWindow = 1 },
        ["a window as long as a row"] = Mistral with { SlidingWindow = 7 },
        ["the second layer slides, yarn"] = TinyDecoder.Llama with { QueryKeyNorm = true, SlidingWindow = 3, SlidingLayers = [false, true], Rope = Yarn },
        ["linear"] = TinyDecoder.Llama with { Rope = new RopeConfig { Type = RopeType.Linear, Theta = 50, Factor = 2.5 } },
        ["llama3, frequencies of all three kinds"] = TinyDecoder.Llama with { HeadSize = 12, Rope = Llama3 },
        ["yarn, the factor given"] = TinyDecoder.Llama with { Rope = Yarn with { AttentionFactor = 1.3 } },
        ["yarn, two scales"] = TinyDecoder.Llama with { Rope = Yarn with { Mscale = 2, MscaleAllDimensions = 0.5 } },
        ["yarn, ends not rounded"] = TinyDecoder.Llama with { Rope = Yarn with { Truncate = false } },
        ["yarn, ends that fall together"] = TinyDecoder.Llama with { Rope = Yarn with { Truncate = false, BetaFast = 0.5, BetaSlow = 0.5 } },
        ["longrope on three quarters, a window"] = TinyDecoder.Llama with
        {
            Architecture = "Phi3ForCausalLM",
            FusedProjections = true,
            SlidingWindow = 5,
            Rope = LongRope with { PartialFactor = 0.75, AttentionFactor = null, ShortFactors = [1, 1.25, 2], LongFactors = [1.6, 4, 50] },
        },
        ["longrope of the original length"] = TinyDecoder.Llama with { Rope = LongRope with { AttentionFactor = null, Factor = 1 } },
    };

    // The probe with one thing changed a little.
    private static readonly Dictionary<string, Func<ModelConfig, ModelConfig>> Notches = new()
    {
        ["window, one token more"] = c => c with { SlidingWindow = 5 },
        ["window, one token less"] = c => c with { SlidingWindow = 3 },
        ["one more sliding layer"] = c => c with { SlidingLayers = [true, true, true] },
        ["one more layer with positions"] = c => c with { RotaryLayers = [true, true, true] },
        ["theta"] = c => c with { Rope = c.Rope with { Theta = 55 } },
        ["theta of sliding layers"] = c => c with { LocalRope = new RopeConfig { Theta = 33 } },
        ["turned share"] = c => c with { LocalRope = new RopeConfig { Theta = 30, PartialFactor = 0.75 } },
        ["original length, one token more"] = c => c with { Rope = c.Rope with { OriginalMaxPositions = RandomFamilies.ShortLength + 1 } },
        ["factor of cosines and sines"] = c => c with { Rope = c.Rope with { AttentionFactor = 1.25 } },
        ["one long factor"] = c => c with { Rope = c.Rope with { LongFactors = [2.1, 2.4, 3.5, 5] } },
        ["cap of scores"] = c => c with { SoftCaps = c.SoftCaps with { Attention = 1.6 } },
        ["cap of logits"] = c => c with { SoftCaps = c.SoftCaps with { Logits = 3.1 } },
        ["scale of scores"] = c => c with { Multipliers = c.Multipliers with { Attention = 0.42 } },
        ["scale of scores by the head size"] = c => c with { Multipliers = c.Multipliers with { Attention = null } },
        ["embedding multiplier"] = c => c with { Multipliers = c.Multipliers with { Embedding = 2.6 } },
        ["residual multiplier"] = c => c with { Multipliers = c.Multipliers with { Residual = 0.72 } },
        ["logit divisor"] = c => c with { Multipliers = c.Multipliers with { LogitDivisor = 0.62 } },
        ["norms by w, not 1 + w"] = c => c with { NormScaling = NormScaling.AfterRounding },
        ["activation"] = c => c with { Activation = Activation.GeluTanh },
    };

    public static TheoryData<string> SpecialNames => [.. Special.Keys];

    public static TheoryData<string> NotchNames => [.. Notches.Keys];

    [Theory]
    [MemberData(nameof(RandomFamilies.Names), MemberType = typeof(RandomFamilies))]
    public void Random_models_compute_the_definitions(string family)
    {
        for (var seed = 0; seed < 6; seed++) ShouldComputeTheDefinitions(RandomFamilies.Create(family, seed), Batches[seed % Batches.Length], seed, $"{family} {seed}");
    }

    [Theory]
    [MemberData(nameof(SpecialNames))]
    public void Special_models_compute_the_definitions(string name)
    {
        for (var i = 0; i < Batches.Length; i++) ShouldComputeTheDefinitions(Special[name], Batches[i], i, $"{name}, batch {i}");
    }

    [Theory]
    [MemberData(nameof(NotchNames))]
    public void A_config_that_is_off_by_a_notch_is_noticed(string notch)
    {
        using var decoder = RandomFamilies.Build(Probe, float64);
        var (weights, rows) = (WeightsOf(decoder), Rows(Probe, Batches[0], seed: 1));
        var right = Reference(Probe, weights, rows);
        Difference(Reference(Notches[notch](Probe), weights, rows), right).ShouldBeGreaterThan(3 * Narrow * (1 + Largest(right)), notch);
    }

    [Theory]
    [MemberData(nameof(TinyModel.Names), MemberType = typeof(TinyModel))]
    [Trait("Category", "Fixtures")]
    public void The_definitions_are_those_of_transformers(string name)
    {
        using var model = new TinyModel(TinyModel.Folder(name));
        using var scope = NewDisposeScope();
        using var layout = TokenLayout.FromMask(model.Mask, CPU);
        var ids = layout.Pack(model.Ids).data<long>().ToArray();
        int[][] rows = [.. layout.Offsets.Zip(layout.Lengths, (first, count) => ids.Skip(first).Take(count).Select(id => (int)id).ToArray())];
        var expected = layout.Pack(model.Logits).data<double>().ToArray();
        Difference(Reference(model.Decoder.Config, WeightsOf(model.Decoder), rows), expected).ShouldBeLessThan(1e-4, name);
    }

    private static void ShouldComputeTheDefinitions(ModelConfig config, int[] lengths, int seed, string name)
    {
        var rows = Rows(config, lengths, seed);
        foreach (var (type, tolerance) in new[] { (float32, Narrow), (float64, Wide) })
        {
            using var decoder = RandomFamilies.Build(config, type);
            var expected = Reference(config, WeightsOf(decoder), rows);
            Difference(Logits(decoder, rows), expected).ShouldBeLessThan(tolerance * (1 + Largest(expected)), $"{name} {type}");
        }
    }

    private static int[][] Rows(ModelConfig config, int[] lengths, int seed)
    {
        var random = new Random(seed);
        return [.. lengths.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(config.VocabularySize)).ToArray())];
    }

    // The rows packed, as the decoder takes them; the logits of all their tokens.
    private static double[] Logits(Decoder decoder, int[][] rows)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var layout = TokenLayout.FromLengths([.. rows.Select(row => row.Length)], CPU);
        long[] ids = [.. rows.SelectMany(row => row).Select(id => (long)id)];
        return decoder.Logits(decoder.Forward(tensor(ids), layout)).to(float64).data<double>().ToArray();
    }

    private static double[] Reference(ModelConfig config, Dictionary<string, double[]> weights, int[][] rows)
    {
        var reference = new ReferenceDecoder(config, weights);
        double[] logits = [.. rows.SelectMany(row => reference.Logits(row)).SelectMany(ofToken => ofToken)];
        reference.Unread.ShouldBeEmpty();
        return logits;
    }

    private static Dictionary<string, double[]> WeightsOf(Decoder decoder)
    {
        using var scope = NewDisposeScope();
        return decoder.Parameters.ToDictionary(parameter => parameter.Key, parameter => parameter.Value.to(float64).data<double>().ToArray());
    }

    private static double Largest(double[] numbers) => numbers.Max(number => Math.Abs(number));

    private static double Difference(double[] actual, double[] expected)
    {
        actual.Length.ShouldBe(expected.Length);
        var largest = 0.0;
        for (var i = 0; i < actual.Length; i++) largest = Math.Max(largest, Math.Abs(actual[i] - expected[i]));
        double.IsFinite(largest).ShouldBeTrue();
        return largest;
    }
}
