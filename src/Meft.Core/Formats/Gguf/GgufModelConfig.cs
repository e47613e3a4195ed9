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
