using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Formats.Gguf;

/// <summary>The sizes of a decoder, from the metadata <c>general.architecture</c> and <c>ARCHITECTURE.*</c> of a GGUF file.</summary>
public sealed record GgufModelConfig
{
    private const double DefaultRopeBase = 10000;

    /// <summary>The architecture's name, such as <c>llama</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>The number of layers (<c>num_hidden_layers</c>).</summary>
    public required int BlockCount { get; init; }

    /// <summary>The longest sequence (<c>max_position_embeddings</c>).</summary>
    public required int ContextLength { get; init; }

    /// <summary>D (<c>hidden_size</c>).</summary>
    public required int EmbeddingLength { get; init; }

    /// <summary>The width of the feed-forward block (<c>intermediate_size</c>).</summary>
    public required int FeedForwardLength { get; init; }

    /// <summary>The query heads (<c>num_attention_heads</c>).</summary>
    public required int HeadCount { get; init; }

    /// <summary>The key and value heads (<c>num_key_value_heads</c>).</summary>
    public required int HeadCountKv { get; init; }

    /// <summary>The size of a head (<c>head_dim</c>).</summary>
    public required int HeadSize { get; init; }

    /// <summary>The epsilon of the norms (<c>rms_norm_eps</c>).</summary>
    public required double RmsNormEpsilon { get; init; }

    /// <summary>The base of the rope frequencies (<c>rope_theta</c>).</summary>
    public required double RopeBase { get; init; }

    /// <summary>Refuses a config.json that says otherwise: the shapes may fit all the same, and the model would speak nonsense.</summary>
    /// <param name="config">The config.json beside the file.</param>
    /// <param name="file">The GGUF file.</param>
    /// <exception cref="InvalidInputException">A size differs; both values are named.</exception>
    internal void RequireAgreement(ModelConfig config, GgufFile file)
    {
        Require("block_count", BlockCount, "num_hidden_layers", config.LayerCount);
        Require("embedding_length", EmbeddingLength, "hidden_size", config.HiddenSize);
        Require("feed_forward_length", FeedForwardLength, "intermediate_size", config.IntermediateSize);
        Require("attention.head_count", HeadCount, "num_attention_heads", config.HeadCount);
        Require("attention.head_count_kv", Stated("attention.head_count_kv", config.KeyValueHeadCount), "num_key_value_heads", (long)config.KeyValueHeadCount);
        Require("attention.key_length", Stated("attention.key_length", config.HeadSize), "head_dim", (long)config.HeadSize);
        // The file holds these as float32.
        Require("attention.layer_norm_rms_epsilon", (float)RmsNormEpsilon, "rms_norm_eps", (float)config.NormEpsilon);
        if (file.Metadata.Contains($"{Architecture}.rope.freq_base")) Require("rope.freq_base", (float)RopeBase, "rope_theta", (float)config.Rope.Theta);
        Require("vocab_size", Stated("vocab_size", config.VocabularySize), "vocab_size", config.VocabularySize);
        Require("attention.sliding_window", Stated("attention.sliding_window", config.SlidingWindow ?? 0), "sliding_window", config.SlidingWindow ?? 0);
        GgufRope.RequireAgreement(file, this, config.Rope);

        // What the file leaves open contradicts nothing.
        long Stated(string key, long otherwise) => file.Metadata.FindInteger($"{Architecture}.{key}") ?? otherwise;

        void Require<T>(string key, T inFile, string configKey, T inConfig)
        {
            if (Equals(inFile, inConfig)) return;
            throw new InvalidInputException(
                $"the file says {Architecture}.{key} {inFile} and the config.json beside it says {configKey} {inConfig}", file.Path, null,
                "put the config.json of this very model beside the file");
        }
    }

    /// <summary>Reads the configuration.</summary>
    /// <exception cref="GgufException">A value is missing, or is not a size.</exception>
    public static GgufModelConfig Read(GgufMetadata metadata)
    {
        var architecture = metadata.GetString("general.architecture");
        int Size(string key, int most = int.MaxValue) => PositiveInteger(metadata, $"{architecture}.{key}", most);
        int SizeOr(string key, int otherwise) => metadata.Contains($"{architecture}.{key}") ? Size(key) : otherwise;
        var ropeBase = $"{architecture}.rope.freq_base";
        var heads = Size("attention.head_count");
        var width = Size("embedding_length");
        if (!metadata.Contains($"{architecture}.attention.key_length") && width % heads != 0)
        {
            throw metadata.Failure(
                $"{architecture}.attention.head_count", $"the value is {heads}, which does not divide {architecture}.embedding_length, {width}",
                $"heads that divide it, or {architecture}.attention.key_length");
        }
        return new GgufModelConfig
        {
            Architecture = architecture,
            BlockCount = Size("block_count", ModelConfigReader.MostLayers),
            ContextLength = Size("context_length"),
            EmbeddingLength = width,
            FeedForwardLength = Size("feed_forward_length"),
            HeadCount = heads,
            HeadCountKv = SizeOr("attention.head_count_kv", heads),
            HeadSize = SizeOr("attention.key_length", width / heads),
            RmsNormEpsilon = metadata.GetNumber($"{architecture}.attention.layer_norm_rms_epsilon"),
            RopeBase = metadata.FindNumber(ropeBase) ?? DefaultRopeBase,
        };
    }

    private static int PositiveInteger(GgufMetadata metadata, string key, int most)
    {
        var value = metadata.GetInteger(key);
        return value > 0 && value <= most ? (int)value : throw metadata.Failure(key, $"the value is {value}", $"1 to {most}");
    }
}
