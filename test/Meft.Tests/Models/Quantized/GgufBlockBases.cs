using Meft.Core.Configuration;
using Meft.Core.Formats.Gguf;
using Meft.Loading;
using Meft.Tests.Training;
using Meft.TestSupport;
using Meft.TestSupport.Gguf;

namespace Meft.Tests.Models.Quantized;

/// <summary>One file as its blocks, resident and streamed, and as plain numbers.</summary>
internal sealed class GgufBlockBases : IDisposable
{
    /// <summary>The llama's sizes: rows are whole numbers of all types' blocks.</summary>
    public const int Hidden = 256, Inner = 512, KeyWidth = 128, Layers = 4;

    /// <summary>The types of the maps, one after another through all layers; one of them is no type of blocks.</summary>
    private static readonly GgmlType[] Stored =
    [
        GgmlType.Q4K, GgmlType.Q6K, GgmlType.Q80, GgmlType.Q40, GgmlType.Q5K, GgmlType.F16, GgmlType.Q2K, GgmlType.Q3K, GgmlType.Q41, GgmlType.Q50,
        GgmlType.Q51, GgmlType.IQ4NL, GgmlType.IQ4XS,
    ];

    private static readonly (string InFile, string Name, int Rows, int Columns)[] MapsOfLayer =
    [
        ("attn_q", "self_attn.q_proj", Hidden, Hidden),
        ("attn_k", "self_attn.k_proj", KeyWidth, Hidden),
        ("attn_v", "self_attn.v_proj", KeyWidth, Hidden),
        ("attn_output", "self_attn.o_proj", Hidden, Hidden),
        ("ffn_gate", "mlp.gate_proj", Inner, Hidden),
        ("ffn_up", "mlp.up_proj", Inner, Hidden),
        ("ffn_down", "mlp.down_proj", Hidden, Inner),
    ];

    private readonly TemporaryFolder _folder = new();

    public GgufBlockBases(BaseDType type, bool plainMaps = true)
    {
        var path = _folder.File("model.gguf");
        File.WriteAllBytes(path, Compose(Maps, plainMaps));
        Kept = Load(Quantization.Gguf, BasePlacement.Resident);
        Streamed = Load(Quantization.Gguf, BasePlacement.Streamed);
        Plain = Load(Quantization.None, BasePlacement.Resident);

        LoadedModel Load(Quantization quantize, BasePlacement placement) => LoadedModel.Load(
            path, new ModelLoadOptions { Device = "cpu", DType = type, Quantize = quantize, Base = placement }, TestContext.Current.CancellationToken);
    }

    public LoadedModel Kept { get; }

    public LoadedModel Streamed { get; }

    public LoadedModel Plain { get; }

    /// <summary>Types and data of the maps by the names of Hugging Face.</summary>
    public Dictionary<string, (GgmlType Type, byte[] Data)> Maps { get; } = new(StringComparer.Ordinal);

    public void Dispose()
    {
        foreach (var model in new[] { Kept, Streamed, Plain }) model.Dispose();
        _folder.Dispose();
    }

    /// <summary>The file.</summary>
    /// <param name="maps">Takes up types and data of its maps.</param>
    /// <param name="plainMaps">Whether one type of the maps is no type of blocks.</param>
    /// <param name="size">The root of the mean square of the weights in blocks, about.</param>
    public static byte[] Compose(Dictionary<string, (GgmlType Type, byte[] Data)> maps, bool plainMaps, double size = 0.05)
    {
        var random = new Random(11);
        float[] Drawn(double mean, double most, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(mean + most * (2 * random.NextDouble() - 1)))];
        var bytes = new GgufBytes().Set("general.architecture", "llama")
            .Set("llama.block_count", (uint)Layers)
            .Set("llama.context_length", 64u)
            .Set("llama.embedding_length", (uint)Hidden)
            .Set("llama.feed_forward_length", (uint)Inner)
            .Set("llama.attention.head_count", 4u)
            .Set("llama.attention.head_count_kv", 2u)
            .Set("llama.attention.layer_norm_rms_epsilon", 1e-5f)
            .Set("llama.rope.freq_base", 10000f)
            .Add("token_embd.weight", [TinyTask.Vocabulary, Hidden], Drawn(0, 0.2, TinyTask.Vocabulary * Hidden))
            .Add("output_norm.weight", [Hidden], Drawn(1, 0.2, Hidden));
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var norm in new[] { "attn_norm", "ffn_norm" }) bytes.Add($"blk.{layer}.{norm}.weight", [Hidden], Drawn(1, 0.2, Hidden));
            foreach (var map in MapsOfLayer)
            {
                var type = Stored[maps.Count % Stored.Length];
                if (type == GgmlType.F16 && !plainMaps) type = GgmlType.Q4K;
                var data = BlockDecoder.FormatOf(type) is { } format
                    ? FiniteBlocks.Of(format, map.Rows * map.Columns, size, random)
                    : [.. Drawn(0, 0.1, map.Rows * map.Columns).SelectMany(w => BitConverter.GetBytes((Half)w))];
                bytes.Add($"blk.{layer}.{map.InFile}.weight", [map.Rows, map.Columns], type, data);
                maps.Add($"model.layers.{layer}.{map.Name}.weight", (type, data));
            }
        }
        return bytes.Compose();
    }
}
