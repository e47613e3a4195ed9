using System.Globalization;
using System.Text.Json.Nodes;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// The config.json that a GGUF file's metadata and tensors amount to, in the spelling of transformers 5, read as any other: so a model from a
/// lone file is the same as from its folder. What the metadata leave open (initialisation, dropout) keeps the family's defaults.
/// </summary>
internal static class GgufConfig
{
    private const string TokensKey = "tokenizer.ggml.tokens";

    /// <summary>Keys that change what is computed, and the value with which they change nothing.</summary>
    private static readonly Dictionary<string, double> Neutral = new(StringComparer.Ordinal)
    {
        ["expert_count"] = 0,
        ["logit_scale"] = 1,
        ["residual_scale"] = 1,
        ["embedding_scale"] = 1,
        ["attention.clamp_kqv"] = 0,
        ["attention.max_alibi_bias"] = 0,
    };

    /// <summary>
    /// Tokens that end a turn of a conversation, by their texts: converters of Gemma and of Phi-3 name the end of a text alone, and llama.cpp finds the others like this.
    /// </summary>
    private static readonly string[] TurnEnds = ["<end_of_turn>", "<|end|>", "<|eot_id|>", "<|eom_id|>", "<|im_end|>"];

    /// <summary>Reads the config.</summary>
    /// <exception cref="InvalidInputException">The file is malformed, or its model is none that can be computed.</exception>
    public static ModelConfig Read(string path)
    {
        using var file = GgufFile.Open(path);
        return Read(file);
    }

    /// <summary>Reads the config of a file that is open.</summary>
    /// <exception cref="InvalidInputException">As above; what config.json's rules refuse is told with the keys of the file.</exception>
    public static ModelConfig Read(GgufFile file)
    {
        try
        {
            return ModelConfigReader.Parse(Write(file).ToJsonString(), file.Path);
        }
        catch (InvalidInputException e) when (e is not GgufException)
        {
            throw new GgufException(
                file.Path, GgufKeys.Told(e.Problem, file.Metadata), allowed: e.Allowed is { } allowed ? GgufKeys.Told(allowed, file.Metadata) : null,
                nextStep: "Convert the model again, or use its safetensors files", cause: e);
        }
    }

    /// <summary>Writes the config as JSON.</summary>
    public static JsonObject Write(GgufFile file)
    {
        var metadata = file.Metadata;
        var architecture = GgufArchitecture.Of(metadata);
        var sizes = GgufModelConfig.Read(metadata);
        RefuseOtherwise(metadata, architecture, sizes);
        var windowKey = $"{sizes.Architecture}.attention.sliding_window";
        var window = metadata.FindInteger(windowKey) ?? architecture.LocalAttention?.DefaultWindow ?? 0;
        if (architecture.WindowIsOfSomeLayers && window > 0)
            throw metadata.Failure(windowKey, $"the value is {window}, and the file does not say which layers have it", "0", "Put the config.json of this very model beside the file");
        // Converters write Mistral as llama; a window tells them apart.
        if (architecture.Name == "llama" && window > 0) architecture = architecture with { Family = "MistralForCausalLM", ModelType = "mistral" };
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture.Family),
            ["model_type"] = architecture.ModelType,
            ["vocab_size"] = VocabularySize(file, sizes),
            ["hidden_size"] = sizes.EmbeddingLength,
            ["intermediate_size"] = sizes.FeedForwardLength,
            ["num_hidden_layers"] = sizes.BlockCount,
            ["num_attention_heads"] = sizes.HeadCount,
            ["num_key_value_heads"] = sizes.HeadCountKv,
            ["head_dim"] = sizes.HeadSize,
            ["max_position_embeddings"] = sizes.ContextLength,
            ["rms_norm_eps"] = GgufRope.Shortest(sizes.RmsNormEpsilon),
            ["rope_parameters"] = GgufRope.Write(file, sizes),
            ["tie_word_embeddings"] = !file.Tensors.ContainsKey("output.weight"),
            ["attention_bias"] = file.Tensors.ContainsKey("blk.0.attn_q.bias"),
            ["mlp_bias"] = file.Tensors.ContainsKey("blk.0.ffn_up.bias"),
            ["hidden_act"] = "silu",
            ["dtype"] = file.Tensors.Values.All(t => t.Type == GgmlType.F32) ? "float32" : "bfloat16",
            ["sliding_window"] = window > 0 ? window : null,
        };
        AddTokens(json, metadata);
        if (architecture.UsesTanhGelu)
        {
            json.Remove("hidden_act");
            json["hidden_activation"] = "gelu_pytorch_tanh";
        }
        architecture.LocalAttention?.AddTo(json, metadata, sizes, window);
        return json;
    }

    private static void AddTokens(JsonObject json, GgufMetadata metadata)
    {
        int? Token(string name) => metadata.FindInteger($"tokenizer.ggml.{name}_token_id") is >= 0 and <= int.MaxValue and var id ? (int)id : null;
        json["bos_token_id"] = Token("bos");
        json["pad_token_id"] = Token("padding");
        var tokens = metadata.Contains(TokensKey) ? metadata.GetStrings(TokensKey) : [];
        int[] ends = [.. new[] { Token("eos"), Token("eot"), Token("eom") }.OfType<int>().Concat(tokens.Index().Where(t => TurnEnds.Contains(t.Item)).Select(t => t.Index)).Distinct()];
        json["eos_token_id"] = ends.Length == 1 ? ends[0] : new JsonArray([.. ends.Select(id => JsonValue.Create(id))]);
    }

    /// <summary>The rows of the embedding; the other places where a file tells them must say the same.</summary>
    private static int VocabularySize(GgufFile file, GgufModelConfig sizes)
    {
        const string Embedding = "token_embd.weight";
        var tensor = file.Tensor(Embedding);
        var rows = tensor.Shape.Count == 2 && tensor.Shape[0] <= int.MaxValue ? (int)tensor.Shape[0] : throw new GgufException(
            file.Path, $"the embedding's shape is {string.Join(" × ", tensor.Shape)}", tensor.Offset, Embedding, "tokens × hidden size");
        if (tensor.Shape[1] != sizes.EmbeddingLength)
        {
            throw new GgufException(
                file.Path, $"the embedding's rows have {tensor.Shape[1]} numbers and {sizes.Architecture}.embedding_length is {sizes.EmbeddingLength}",
                tensor.Offset, Embedding);
        }
        var key = $"{sizes.Architecture}.vocab_size";
        if (file.Metadata.FindInteger(key) is { } stated && stated != rows)
            throw file.Metadata.Failure(key, $"the value is {stated} and the embedding has {rows} rows", "the same number");
        if (file.Metadata.Contains(TokensKey) && file.Metadata.GetStrings(TokensKey).Count is var tokens && tokens > rows)
            throw file.Metadata.Failure(TokensKey, $"there are {tokens} tokens and the embedding has {rows} rows", $"at most {rows} tokens");
        return rows;
    }

    private static void RefuseOtherwise(GgufMetadata metadata, GgufArchitecture architecture, GgufModelConfig sizes)
    {
        foreach (var (name, neutral) in Neutral) RefuseOther(name, neutral);
        if (architecture.LocalAttention is null)
        {
            // What the later Gemmas alone have.
            foreach (var cap in GgufLocalAttention.Caps) RefuseOther(cap, 0);
            RefuseOther(GgufLocalAttention.Scale, 1 / Math.Sqrt(sizes.HeadSize), 1e-6);
        }
        var causal = $"{sizes.Architecture}.attention.causal";
        if (metadata.Contains(causal) && !metadata.GetBoolean(causal)) throw metadata.Failure(causal, "the value is false: every token would see all others", "true");
        var values = $"{sizes.Architecture}.attention.value_length";
        if (metadata.FindInteger(values) is { } size && size != sizes.HeadSize)
            throw metadata.Failure(values, $"values have heads of {size} and keys of {sizes.HeadSize}", "the same size");

        // Zero means that the file leaves it open.
        void RefuseOther(string name, double neutral, double tolerance = 0)
        {
            var key = $"{sizes.Architecture}.{name}";
            if (metadata.FindNumber(key) is not { } value || value == 0 || Math.Abs(value - neutral) <= tolerance) return;
            throw metadata.Failure(key, $"the value is {value.ToString(CultureInfo.InvariantCulture)}, which is not supported", neutral.ToString(CultureInfo.InvariantCulture));
        }
    }
}
