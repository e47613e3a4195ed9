using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>Small random models of every family: other sizes, windows, bounds and factors than the goldens have.</summary>
internal static class RandomFamilies
{
    /// <summary>The rows up to which long-rope's short factors count.</summary>
    public const int ShortLength = 6;

    public static TheoryData<string> Names => ["llama", "mistral", "qwen2", "qwen3", "smollm3", "olmo2", "granite", "phi3", "phi3-longrope", "gemma", "gemma2", "gemma3", "everything"];

    /// <summary>A model of a family.</summary>
    /// <param name="family">One of <see cref="Names"/>; "everything" mixes what the families have one at a time.</param>
    /// <param name="seed">Decides the sizes.</param>
    public static ModelConfig Create(string family, int seed)
    {
        var random = new Random(seed);
        bool Coin() => random.Next(2) == 1;
        double Between(double least, double most) => least + (most - least) * random.NextDouble();
        int keyHeads = random.Next(1, 4), layers = random.Next(2, 5);
        var config = TinyDecoder.Llama with
        {
            HiddenSize = random.Next(8, 21),
            IntermediateSize = random.Next(9, 30),
            LayerCount = layers,
            HeadCount = keyHeads * random.Next(1, 4),
            KeyValueHeadCount = keyHeads,
            HeadSize = 2 * random.Next(2, 7),
            TiedEmbeddings = Coin(),
        };
        bool[] Flags() => [.. Enumerable.Range(0, layers).Select(layer => layer == 0 || (layer > 1 && Coin()))];
        return family switch
        {
            "llama" => config,
            "mistral" => config with { Architecture = "MistralForCausalLM", SlidingWindow = 3 },
            "qwen2" => config with { Architecture = "Qwen2ForCausalLM", QueryKeyValueBias = true },
            "qwen3" => config with { Architecture = "Qwen3ForCausalLM", QueryKeyNorm = true },
            "smollm3" => config with
            {
                Architecture = "SmolLM3ForCausalLM",
                RotaryLayers = Flags(),
                SlidingWindow = 3,
                SlidingLayers = Flags(),
                QueryKeyValueBias = Coin(),
                FeedForwardBias = Coin(),
            },
            "olmo2" => config with
            {
                Architecture = "Olmo2ForCausalLM",
                NormPlacement = NormPlacement.After,
                NormScaling = NormScaling.BeforeRounding,
                QueryKeyNorm = true,
                QueryKeyNormOverHeads = true,
            },
            "granite" => config with
            {
                Architecture = "GraniteForCausalLM",
                Multipliers = new Multipliers
                {
                    Embedding = Between(0.5, 4),
                    Attention = Between(0.1, 1),
                    Residual = Between(0.2, 2),
                    LogitDivisor = Between(0.5, 4),
                },
                AttentionOutputBias = Coin(),
            },
            "phi3" => config with
            {
                Architecture = "Phi3ForCausalLM",
                FusedProjections = true,
                SlidingWindow = Coin() ? 4 : null,
                Rope = config.Rope with { PartialFactor = 4.0 / config.HeadSize },
            },
            "phi3-longrope" => config with
            {
                Architecture = "Phi3ForCausalLM",
                FusedProjections = true,
                Rope = LongRope(config.HeadSize, random),
            },
            "gemma" => config with
            {
                Architecture = "GemmaForCausalLM",
                NormScaling = NormScaling.OnePlusWeight,
                Activation = Activation.GeluTanh,
                Multipliers = new Multipliers { Embedding = Math.Sqrt(config.HiddenSize) },
            },
            "gemma2" => config with
            {
                Architecture = "Gemma2ForCausalLM",
                NormPlacement = NormPlacement.Around,
                NormScaling = NormScaling.OnePlusWeight,
                Activation = Activation.GeluTanh,
                SlidingWindow = random.Next(2, 5),
                SlidingLayers = Flags(),
                SoftCaps = new SoftCaps { Attention = Between(0.5, 2), Logits = Between(1, 4) },
                Multipliers = new Multipliers { Embedding = Math.Sqrt(config.HiddenSize), Attention = 1 / Math.Sqrt(random.Next(4, 30)) },
            },
            "gemma3" => config with
            {
                Architecture = "Gemma3ForCausalLM",
                NormPlacement = NormPlacement.Around,
                NormScaling = NormScaling.OnePlusWeight,
                QueryKeyNorm = true,
                Activation = Activation.GeluTanh,
                SlidingWindow = random.Next(2, 5),
                SlidingLayers = Flags(),
                LocalRope = new RopeConfig { Theta = 30 },
                Rope = new RopeConfig { Theta = 1e5, Type = RopeType.Linear, Factor = 4 },
                Multipliers = new Multipliers { Embedding = Math.Sqrt(config.HiddenSize), Attention = 1 / Math.Sqrt(random.Next(4, 30)) },
            },
            _ => config with
            {
                NormPlacement = (NormPlacement)random.Next(3),
                NormScaling = (NormScaling)random.Next(3),
                QueryKeyNorm = Coin(),
                QueryKeyNormOverHeads = Coin(),
                FusedProjections = Coin(),
                QueryKeyValueBias = true,
                AttentionOutputBias = true,
                FeedForwardBias = true,
                Activation = (Activation)random.Next(3),
                SlidingWindow = 3,
                SlidingLayers = Flags(),
                RotaryLayers = Flags(),
                Rope = LongRope(config.HeadSize, random),
                LocalRope = new RopeConfig { Theta = 30, PartialFactor = 4.0 / config.HeadSize },
                SoftCaps = new SoftCaps { Attention = Coin() ? 1 : null, Logits = 2 },
                Multipliers = new Multipliers { Embedding = 2.5, Residual = 0.7, LogitDivisor = 0.6, Attention = Coin() ? 0.4 : null },
            },
        };
    }

    /// <summary>A drawn decoder whose norms and biases are drawn too; the same numbers in every type, up to its rounding.</summary>
    public static Decoder Build(ModelConfig config, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var generator = new Generator(17, CPU);
        var decoder = Decoder.Initialize(config, 7, CPU, type);
        foreach (var (_, vector) in decoder.Parameters.Where(p => p.Value.dim() == 1))
            vector.PlusInPlace(randn(vector.shape, float32, generator: generator).Times(0.3).to(type));
        return decoder;
    }

    private static RopeConfig LongRope(int headSize, Random random)
    {
        double[] Factors(double least) => [.. Enumerable.Range(0, headSize / 2).Select(_ => least + 3 * random.NextDouble())];
        return new RopeConfig { Type = RopeType.Longrope, OriginalMaxPositions = ShortLength, Factor = 5, ShortFactors = Factors(1), LongFactors = Factors(2), Theta = 50 };
    }
}
