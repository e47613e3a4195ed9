using System.Text;
using Meft.Core.Errors;

namespace Meft.Core.Formats.HuggingFace;

/// <summary>
/// Reads a model's config.json, in the spelling of transformers 4 (<c>rope_theta</c> and <c>rope_scaling</c>, <c>torch_dtype</c>)
/// or 5 (<c>rope_parameters</c>, <c>dtype</c>).
/// </summary>
public static class ModelConfigReader
{
    /// <summary>More layers are no model, and a list of them no size of the file explains.</summary>
    internal const int MostLayers = 1 << 16;

    /// <summary>The activation functions that can be read, as config.json spells them.</summary>
    private static readonly Dictionary<string, Activation> Activations = new(StringComparer.Ordinal)
    {
        ["silu"] = Activation.Silu,
        ["swish"] = Activation.Silu,
        ["gelu"] = Activation.Gelu,
        ["gelu_new"] = Activation.GeluTanh,
        ["gelu_pytorch_tanh"] = Activation.GeluTanh,
    };

    private static readonly Dictionary<string, StoredType> StoredTypes = new(StringComparer.Ordinal)
    {
        ["float32"] = StoredType.Float32,
        ["float64"] = StoredType.Float32, // the widest that is computed in
        ["float16"] = StoredType.Float16,
        ["bfloat16"] = StoredType.BFloat16,
    };

    /// <summary>Reads the config.json of a model folder, or the file itself.</summary>
    /// <exception cref="InvalidInputException">
    /// The file is missing, is no JSON, or describes a model that is not known or contradicts itself.
    /// </exception>
    public static ModelConfig Read(string path) =>
        Read(ConfigObject.Read(Directory.Exists(path) ? Path.Combine(path, "config.json") : path));

    /// <summary>Reads the text of a config.json.</summary>
    /// <param name="json">The text.</param>
    /// <param name="location">What error texts call it.</param>
    /// <exception cref="InvalidInputException">
    /// The text is no JSON, or describes a model that is not known or contradicts itself.
    /// </exception>
    public static ModelConfig Parse(string json, string location = "config.json") =>
        Read(ConfigObject.Parse(Encoding.UTF8.GetBytes(json), location));

    private static ModelConfig Read(ConfigObject file)
    {
        var family = ReadFamily(file);
        var hidden = file.RequiredInt("hidden_size");
        var layers = file.RequiredInt("num_hidden_layers");
        var heads = file.RequiredInt("num_attention_heads");
        var maxPositions = file.Int("max_position_embeddings") ?? family.DefaultMaxPositions;
        if (layers > MostLayers) throw file.Wrong("num_hidden_layers", $"is {layers}", $"at most {MostLayers}");
        var rotaryLayers = LayerKindReader.ReadRotaryLayers(file, family, layers);
        var (window, slidingLayers) = LayerKindReader.ReadWindow(file, family, layers, rotaryLayers);
        var (rope, localRope) = RopeConfigReader.Read(file, family, maxPositions);
        var config = new ModelConfig
        {
            Architecture = family.Architecture,
            VocabularySize = file.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = file.RequiredInt("intermediate_size"),
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = ReadKeyValueHeads(file, family, heads),
            HeadSize = ReadHeadSize(file, family, hidden, heads),
            MaxPositions = maxPositions,
            NormEpsilon = file.Number("rms_norm_eps") ?? family.DefaultNormEpsilon,
            NormPlacement = family.NormPlacement,
            NormScaling = family.NormScaling,
            Activation = ReadActivation(file, family),
            Rope = rope,
            LocalRope = localRope,
            RotaryLayers = rotaryLayers,
            QueryKeyValueBias = HasBias(family.AttentionBias, "attention_bias"),
            AttentionOutputBias = HasBias(family.OutputBias, "attention_bias"),
            FeedForwardBias = HasBias(family.FeedForwardBias, "mlp_bias"),
            QueryKeyNorm = family.QueryKeyNorm,
            QueryKeyNormOverHeads = family.QueryKeyNormOverHeads,
            FusedProjections = family.FusedProjections,
            Multipliers = ReadMultipliers(file, family, hidden),
            SoftCaps = ReadSoftCaps(file, family),
            TiedEmbeddings = file.Bool("tie_word_embeddings") ?? family.TiedByDefault,
            SlidingWindow = window,
            SlidingLayers = slidingLayers,
            InitializerRange = file.Number("initializer_range") ?? 0.02,
            StoredType = ReadNamed(file, file.Has("dtype") ? "dtype" : "torch_dtype", StoredTypes),
            BeginToken = file.Int("bos_token_id"),
            EndTokens = file.Ints("eos_token_id"),
            PadToken = file.Int("pad_token_id"),
        };
        config.Validate(file.Location);
        UnknownFlags.Refuse(file, family); // sizes that contradict each other are told first
        return config;

        bool HasBias(BiasRule rule, string key) =>
            rule == BiasRule.Always || (rule == BiasRule.AsConfigured && (file.Bool(key) ?? false));
    }

    /// <summary>
    /// Gemma's activation is gelu's tanh form. Its older files say <c>hidden_act: gelu</c> and mean that form; a version of transformers reads either key, so that a
    /// <c>hidden_act</c> of another kind alone would be computed differently by different versions.
    /// </summary>
    private static Activation ReadActivation(ConfigObject file, ModelFamily family)
    {
        const string Usual = "hidden_act";
        if (ReadNamed(file, family.ActivationKey, Activations) is { } said) return said;
        if (family.ActivationKey != Usual && ReadNamed(file, Usual, Activations) is Activation.Silu)
            throw file.Wrong(Usual, "is no form of gelu, and 'hidden_activation' is not there", "gelu_pytorch_tanh, or both keys");
        return family.DefaultActivation;
    }

    private static ModelFamily ReadFamily(ConfigObject file)
    {
        var modelType = file.String("model_type");
        if (file.Strings("architectures") is { Count: > 0 } architectures)
        {
            var family = ModelFamily.OfArchitecture(architectures[0], file.Location);
            if (modelType is null || modelType == family.ModelType) return family;
            throw new InvalidInputException(
                $"'architectures' is {family.Architecture} but 'model_type' is {modelType}", file.Location,
                $"the model_type {family.ModelType}");
        }
        if (modelType is not null) return ModelFamily.OfModelType(modelType, file.Location);
        throw new InvalidInputException("neither 'architectures' nor 'model_type' is there", file.Location,
            string.Join(", ", ModelFamily.KnownArchitectures), "is this the config.json of a language model?");
    }

    private static int ReadKeyValueHeads(ConfigObject file, ModelFamily family, int heads)
    {
        // Written as null it means "as many as query heads"; not written at all, the family's default.
        var absent = file.Mentions("num_key_value_heads") ? heads : family.DefaultKeyValueHeads ?? heads;
        return file.Int("num_key_value_heads") ?? absent;
    }

    private static int ReadHeadSize(ConfigObject file, ModelFamily family, int hidden, int heads)
    {
        if (file.Int("head_dim") is { } size) return size;
        if (family.DefaultHeadSize is { } usual && !file.Mentions("head_dim")) return usual;
        if (heads > 0 && hidden % heads == 0) return hidden / heads;
        throw new InvalidInputException($"hidden_size is {hidden}, which num_attention_heads, {heads}, does not divide", file.Location,
            "heads that divide the hidden size, or an explicit head_dim");
    }

    private static Multipliers ReadMultipliers(ConfigObject file, ModelFamily family, int hidden)
    {
        if (family.HasMultipliers)
        {
            return new Multipliers
            {
                Embedding = file.Number("embedding_multiplier") ?? 1,
                Attention = file.Number("attention_multiplier") ?? 1,
                Residual = file.Number("residual_multiplier") ?? 1,
                LogitDivisor = file.Number("logits_scaling") ?? 1,
            };
        }
        var scalar = file.Number("query_pre_attn_scalar") ?? family.DefaultQueryScalar;
        if (scalar <= 0) throw file.Wrong("query_pre_attn_scalar", $"is {scalar}", "a positive number");
        return new Multipliers
        {
            Embedding = family.ScalesEmbeddings ? Math.Sqrt(hidden) : 1,
            Attention = scalar is { } given ? 1 / Math.Sqrt(given) : null,
        };
    }

    /// <summary>A cap that is written as null is none; one that is not written is the family's.</summary>
    private static SoftCaps ReadSoftCaps(ConfigObject file, ModelFamily family)
    {
        return new SoftCaps
        {
            Attention = family.CapsAttention ? Cap("attn_logit_softcapping", family.SoftCaps.Attention) : null,
            Logits = family.CapsLogits ? Cap("final_logit_softcapping", family.SoftCaps.Logits) : null,
        };

        double? Cap(string key, double? usual) => file.Mentions(key) ? file.Number(key) : usual;
    }

    private static T? ReadNamed<T>(ConfigObject file, string key, Dictionary<string, T> known) where T : struct
    {
        if (file.String(key) is not { } name) return null;
        if (known.TryGetValue(name, out var value)) return value;
        throw file.Unsupported(key, $"is '{name}', which is not known", string.Join(", ", known.Keys.Order(StringComparer.Ordinal)));
    }
}
