using Meft.Core.Formats.Gguf;

namespace Meft.Core.Tests.Formats.Gguf;

/// <summary>Small models in GGUF form.</summary>
internal static class GgufModels
{
    /// <summary>One layer with D = 8, two query heads and one key head of size 4; each number says where it stood in the file.</summary>
    public static GgufBytes Tiny(string architecture = "llama")
    {
        var bytes = new GgufBytes().Set("general.architecture", architecture);
        Configure(bytes, architecture);
        return bytes
            .Set(
                "tokenizer.ggml.tokens", GgufValueType.Array,
                GgufBytes.Array(GgufValueType.String, 2, GgufBytes.Text("a"), GgufBytes.Text("b")))
            .Add("token_embd.weight", [2, 8], Count(16))
            .Add("output_norm.weight", [8], Count(8))
            .Add("rope_freqs.weight", [2], 1, 1)
            .Add("blk.0.attn_q.weight", [8, 8], Count(64))
            .Add("blk.0.attn_q.bias", [8], Count(8))
            .Add("blk.0.attn_k.weight", [4, 8], Count(32))
            .Add("blk.0.attn_v.weight", [4, 8], Count(32))
            .Add("blk.0.ffn_down.weight", [1, 32], GgmlType.Q80, [0, 0x3C, .. Enumerable.Range(0, 32).Select(i => (byte)i)]);
    }

    /// <summary>The configuration of <see cref="Tiny"/>.</summary>
    public static void Configure(GgufBytes bytes, string architecture) => bytes
        .Set($"{architecture}.block_count", 1u)
        .Set($"{architecture}.context_length", 64u)
        .Set($"{architecture}.embedding_length", 8u)
        .Set($"{architecture}.feed_forward_length", 16u)
        .Set($"{architecture}.attention.head_count", 2u)
        .Set($"{architecture}.attention.head_count_kv", 1u)
        .Set($"{architecture}.attention.layer_norm_rms_epsilon", 0.5f)
        .Set($"{architecture}.rope.freq_base", 500f);

    private static float[] Count(int count) => [.. Enumerable.Range(0, count).Select(i => (float)i)];
}
