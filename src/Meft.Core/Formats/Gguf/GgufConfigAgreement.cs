using System.Globalization;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// Holds a config.json to the GGUF file beside it: shapes may fit where something else does not, and the model would speak nonsense. What the file leaves
/// open contradicts nothing, nor does its length, but for what follows from it for cosines.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="sizes">What its metadata say.</param>
/// <param name="config">The config.json.</param>
internal sealed class GgufConfigAgreement(GgufFile file, GgufModelConfig sizes, ModelConfig config)
{
    private const double Tolerance = 1e-3; // of factors that a converter has computed in float32

    /// <exception cref="InvalidInputException">They differ; both values are named.</exception>
    public static void Require(GgufFile file, GgufArchitecture architecture, GgufModelConfig sizes, ModelConfig config)
    {
        var agreement = new GgufConfigAgreement(file, sizes, config);
        agreement.RequireFamily(architecture);
        agreement.RequireSizes();
        agreement.RequireScales();
        agreement.RequireRope();
    }

    private void RequireFamily(GgufArchitecture architecture)
    {
        // Converters write Mistral as llama.
        if (architecture.Family != config.Architecture && (architecture.Name, config.Architecture) is not ("llama", "MistralForCausalLM"))
            throw Differs($"general.architecture is {architecture.Name}, {architecture.Family}", $"architectures is {config.Architecture}");
    }

    private void RequireSizes()
    {
        Same("block_count", sizes.BlockCount, "num_hidden_layers", config.LayerCount);
        Same("embedding_length", sizes.EmbeddingLength, "hidden_size", config.HiddenSize);
        Same("feed_forward_length", sizes.FeedForwardLength, "intermediate_size", config.IntermediateSize);
        Same("attention.head_count", sizes.HeadCount, "num_attention_heads", config.HeadCount);
        Stated("attention.head_count_kv", "num_key_value_heads", config.KeyValueHeadCount);
        Stated("attention.key_length", "head_dim", config.HeadSize);
        Stated("vocab_size", "vocab_size", config.VocabularySize);
        Stated("attention.sliding_window", "sliding_window", config.SlidingWindow ?? 0);
    }

    private void RequireScales()
    {
        Same("attention.layer_norm_rms_epsilon", sizes.RmsNormEpsilon, "rms_norm_eps", config.NormEpsilon);
        Stated("attn_logit_softcapping", "attn_logit_softcapping", config.SoftCaps.Attention);
        Stated("final_logit_softcapping", "final_logit_softcapping", config.SoftCaps.Logits);
        if (Number("attention.scale") is { } scale and not 0 && !IsNear(scale, config.AttentionScale))
            throw Differs($"{Key("attention.scale")} is {Shown(scale)}", $"queries are multiplied by {Shown(config.AttentionScale)}");
    }

    private void RequireRope()
    {
        var rope = config.Rope;
        Stated("rope.freq_base", "rope_theta", rope.Theta);
        if (config.LocalRope is { } local) Stated("rope.freq_base_swa", "rope_theta of sliding layers", local.Theta);
        Stated("rope.dimension_count", "turned numbers of a head", rope.TurnedOf(config.HeadSize));
        var isDivided = file.Tensors.ContainsKey(GgufRope.Factors);
        if (isDivided) RequireDivisors(rope);
        if (!isDivided || rope.Type != RopeType.Llama3) RequireScaling(rope);
    }

    /// <summary>The frequencies are divided by numbers of the file, as Llama 3.1's converter writes them.</summary>
    private void RequireDivisors(RopeConfig rope)
    {
        var inFile = GgufRope.ReadNumbers(file, GgufRope.Factors);
        if (inFile.Length != sizes.HeadSize / 2)
            throw Differs($"{GgufRope.Factors} has {inFile.Length} factors", $"heads of {sizes.HeadSize}, of which {sizes.HeadSize / 2} pairs turn");
        RequireNear(GgufRope.Factors, inFile, rope.Type == RopeType.Llama3
            ? Llama3RopeFactors.Of(new(rope.Factor, rope.LowFrequencyFactor, rope.HighFrequencyFactor, rope.OriginalMaxPositions), rope.Theta, sizes.HeadSize)
            : [.. Enumerable.Repeat(1.0, sizes.HeadSize / 2)], $"rope type {Name(rope.Type)}");
    }

    /// <summary>What the file says of a stretched rope, read as that of a lone file is.</summary>
    private void RequireScaling(RopeConfig rope)
    {
        var inFile = GgufRope.Write(file, sizes);
        var type = inFile["rope_type"]!.GetValue<string>();
        if (type == "default" && !file.Metadata.Contains(Key("rope.scaling.type"))) return;
        // Llama 3.1's rule is no type of a file, and its numbers may be left out by an early converter.
        if (Name(rope.Type) != type && (type, rope.Type) is not ("default", RopeType.Llama3))
            throw Differs(file.Tensors.ContainsKey(GgufRope.LongFactors) ? $"{GgufRope.LongFactors} is there" : $"{Key("rope.scaling.type")} is {type}", $"the rope type {Name(rope.Type)}");
        if (type == "default") return;
        if (type == "longrope")
        {
            RequireNear(GgufRope.LongFactors, GgufRope.ReadNumbers(file, GgufRope.LongFactors), rope.LongFactors, "long_factor");
            RequireNear(GgufRope.ShortFactors, GgufRope.ReadNumbers(file, GgufRope.ShortFactors), rope.ShortFactors, "short_factor");
        }
        else if (inFile["factor"] is { } factor)
        {
            Same("rope.scaling.factor", factor.GetValue<double>(), "the rope factor", rope.Factor);
        }
        if (type == "linear") return;
        Stated("rope.scaling.original_context_length", "original_max_position_embeddings", rope.OriginalMaxPositions);
        if (type == "yarn")
        {
            Stated("rope.scaling.yarn_beta_fast", "beta_fast", rope.BetaFast);
            Stated("rope.scaling.yarn_beta_slow", "beta_slow", rope.BetaSlow);
        }
        if (inFile["attention_factor"]?.GetValue<double>() is { } cosines && !IsNear(cosines, rope.CosineFactor))
            throw Differs($"cosines are multiplied by {Shown(cosines)}", $"by {Shown(rope.CosineFactor)} (attention_factor, or what follows from the lengths)");
    }

    /// <summary>A number of the file, which holds it as float32 where it is no whole one, against that of the config.</summary>
    private void Stated(string key, string configKey, double? inConfig)
    {
        // Zero is how files leave open what cannot be zero.
        if (Number(key) is { } number && (number != 0 || key == "attention.sliding_window")) Same(key, number, configKey, inConfig);
    }

    private void Same(string key, double inFile, string configKey, double? inConfig)
    {
        if ((float)inFile != (float?)inConfig) throw Differs($"{Key(key)} is {Shown(inFile)}", $"{configKey} {(inConfig is { } number ? Shown(number) : "null")}");
    }

    private string Key(string name) => $"{sizes.Architecture}.{name}";

    private double? Number(string key) => file.Metadata.FindNumber(Key(key));

    private InvalidInputException Differs(string inFile, string inConfig) => new(
        $"in the file {inFile} and the config.json beside it says {inConfig}", file.Path, null, "put the config.json of this very model beside the file");

    private static bool IsNear(double one, double other) => Math.Abs(one - other) <= Tolerance * Math.Abs(other);

    private void RequireNear(string tensor, float[] inFile, IReadOnlyList<double> inConfig, string configKey)
    {
        if (inFile.Length != inConfig.Count) throw Differs($"{tensor} has {inFile.Length} factors", $"{inConfig.Count} ({configKey})");
        for (var i = 0; i < inFile.Length; i++)
        {
            if (!IsNear(inFile[i], inConfig[i])) throw Differs($"factor {i} of {tensor} is {Shown(inFile[i])}", $"{Shown(inConfig[i])} ({configKey})");
        }
    }

    private static string Shown(double number) => ((float)number).ToString(CultureInfo.InvariantCulture);

    private static string Name(RopeType type) => type.ToString().ToLowerInvariant();
}
