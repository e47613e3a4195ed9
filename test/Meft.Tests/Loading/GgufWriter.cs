using System.Text.Json.Nodes;
using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using Meft.TestSupport.Gguf;

namespace Meft.Tests.Loading;

/// <summary>Writes a Hugging Face folder as a GGUF file of float32, with the names and the changes of llama.cpp's converters.</summary>
internal static class GgufWriter
{
    private static readonly Dictionary<string, string> Names = new()
    {
        ["model.embed_tokens"] = "token_embd",
        ["model.norm"] = "output_norm",
        ["lm_head"] = "output",
        ["input_layernorm"] = "attn_norm",
        ["self_attn.q_proj"] = "attn_q",
        ["self_attn.k_proj"] = "attn_k",
        ["self_attn.v_proj"] = "attn_v",
        ["self_attn.qkv_proj"] = "attn_qkv",
        ["self_attn.o_proj"] = "attn_output",
        ["self_attn.q_norm"] = "attn_q_norm",
        ["self_attn.k_norm"] = "attn_k_norm",
        ["post_attention_layernorm"] = "ffn_norm",
        ["mlp.gate_proj"] = "ffn_gate",
        ["mlp.up_proj"] = "ffn_up",
        ["mlp.gate_up_proj"] = "ffn_up",
        ["mlp.down_proj"] = "ffn_down",
        ["pre_feedforward_layernorm"] = "ffn_norm",
        ["post_feedforward_layernorm"] = "post_ffw_norm",
    };

    /// <summary>The file of a folder.</summary>
    public static GgufBytes Of(string folder)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
        var name = (string)json["model_type"]! switch { "mistral" => "llama", "gemma3_text" => "gemma3", var other => other };
        var config = ModelConfigReader.Read(folder);
        var bytes = new GgufBytes().Set("general.architecture", name)
            .Set($"{name}.block_count", (uint)config.LayerCount)
            .Set($"{name}.context_length", (uint)config.MaxPositions)
            .Set($"{name}.embedding_length", (uint)config.HiddenSize)
            .Set($"{name}.feed_forward_length", (uint)config.IntermediateSize)
            .Set($"{name}.attention.head_count", (uint)config.HeadCount)
            .Set($"{name}.attention.head_count_kv", (uint)config.KeyValueHeadCount)
            .Set($"{name}.attention.key_length", (uint)config.HeadSize)
            .Set($"{name}.attention.value_length", (uint)config.HeadSize)
            .Set($"{name}.attention.layer_norm_rms_epsilon", (float)config.NormEpsilon)
            .Set($"{name}.rope.freq_base", (float)config.Rope.Theta)
            .Set($"{name}.rope.dimension_count", (uint)config.HeadSize)
            .Set($"{name}.vocab_size", (uint)config.VocabularySize);
        if (config.SlidingWindow is { } window) bytes.Set($"{name}.attention.sliding_window", (uint)window);
        if (config.BeginToken is { } begin) bytes.Set("tokenizer.ggml.bos_token_id", (uint)begin);
        if (config.EndTokens is [var end, ..]) bytes.Set("tokenizer.ggml.eos_token_id", (uint)end);
        if (config.PadToken is { } pad) bytes.Set("tokenizer.ggml.padding_token_id", (uint)pad);
        foreach (var key in (string[])["attn_logit_softcapping", "final_logit_softcapping"])
        {
            if (json[key] is { } cap) bytes.Set($"{name}.{key}", (float)cap);
        }
        if (json["query_pre_attn_scalar"] is { } scalar) bytes.Set($"{name}.attention.scale", (float)(1 / Math.Sqrt((double)scalar)));
        AddRope(bytes, name, config.Rope, config.HeadSize, json["rope_parameters"] as JsonObject);
        AddTensors(bytes, folder, name, config);
        return bytes;
    }

    private static void AddRope(GgufBytes bytes, string name, RopeConfig rope, int headSize, JsonObject? json)
    {
        if (rope.Type == RopeType.Llama3)
        {
            var plain = RotaryFrequencies.Of(new RopeConfig { Theta = rope.Theta }, headSize).Inverse;
            var scaled = RotaryFrequencies.Of(rope, headSize).Inverse;
            bytes.Add("rope_freqs.weight", [plain.Length], [.. plain.Zip(scaled).Select(f => (float)(f.First / f.Second))]);
            bytes.Set($"{name}.rope.scaling.original_context_length", (uint)rope.OriginalMaxPositions);
        }
        else if (rope.Type is RopeType.Linear or RopeType.Yarn)
        {
            bytes.Set($"{name}.rope.scaling.type", rope.Type == RopeType.Yarn ? "yarn" : "linear").Set($"{name}.rope.scaling.factor", (float)rope.Factor);
            if (rope.Type == RopeType.Yarn) bytes.Set($"{name}.rope.scaling.original_context_length", (uint)rope.OriginalMaxPositions);
        }
        else if (json?["long_factor"] is JsonArray longer)
        {
            bytes.Set($"{name}.rope.scaling.original_context_length", (uint)json["original_max_position_embeddings"]!);
            bytes.Add("rope_factors_long.weight", [longer.Count], [.. longer.Select(f => (float)f!)]);
            bytes.Add("rope_factors_short.weight", [longer.Count], [.. json["short_factor"]!.AsArray().Select(f => (float)f!)]);
        }
    }

    private static void AddTensors(GgufBytes bytes, string folder, string name, ModelConfig config)
    {
        using var source = ModelWeights.Open(folder);
        foreach (var (tensor, entry) in source.Tensors)
        {
            var weights = source.ReadSingles(tensor);
            var isGemma = name.StartsWith("gemma", StringComparison.Ordinal);
            if (isGemma && tensor.EndsWith("norm.weight", StringComparison.Ordinal)) weights = [.. weights.Select(w => w + 1)];
            if (name == "llama" && tensor.Contains(".q_proj.", StringComparison.Ordinal)) weights = Permuted(weights, config.HeadCount, config.HeadSize);
            if (name == "llama" && tensor.Contains(".k_proj.", StringComparison.Ordinal)) weights = Permuted(weights, config.KeyValueHeadCount, config.HeadSize);
            bytes.Add(NameOf(tensor, normsAround: name is "gemma2" or "gemma3"), [.. entry.Shape], weights);
        }
    }

    /// <summary>Rows of each head from (half, place) to (place, half): [heads, 2, hd / 2, width] → [heads, hd / 2, 2, width]; a bias has width 1.</summary>
    private static float[] Permuted(float[] weights, int heads, int headSize)
    {
        var result = new float[weights.Length];
        var width = weights.Length / (heads * headSize);
        for (var head = 0; head < heads; head++)
            for (var half = 0; half < 2; half++)
                for (var place = 0; place < headSize / 2; place++)
                {
                    var from = (head * headSize + half * headSize / 2 + place) * width;
                    Array.Copy(weights, from, result, (head * headSize + 2 * place + half) * width, width);
                }
        return result;
    }

    private static string NameOf(string tensor, bool normsAround)
    {
        var (module, kind) = (tensor[..tensor.LastIndexOf('.')], tensor[tensor.LastIndexOf('.')..]);
        if (Names.TryGetValue(module, out var name)) return name + kind;
        var parts = module.Split('.', 4); // model.layers.N.NAME
        name = normsAround && parts[3] == "post_attention_layernorm" ? "post_attention_norm" : Names[parts[3]];
        return $"blk.{parts[2]}.{name}{kind}";
    }
}
