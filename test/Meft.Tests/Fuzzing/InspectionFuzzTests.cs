using Meft.Core.Errors;
using Meft.Core.Formats.Safetensors;
using Meft.Inspection;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Meft.TestSupport.Gguf;

namespace Meft.Tests.Fuzzing;

/// <summary>What <c>inspect</c> reads of a model, each of its files changed in every way: a report, or an error that names the file.</summary>
public sealed class InspectionFuzzTests : IDisposable
{
    private const string Config = """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 5, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "eos_token_id": [4, 9], "tie_word_embeddings": true, "dtype": "float32"}
        """;

    private const string Tokenizer = """
        {"added_tokens": [{"id": 4, "content": "</s>", "special": true}], "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
         "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3}, "merges": ["a b"]}}
        """;

    private readonly TemporaryFolder _folder = new();

    public InspectionFuzzTests()
    {
        _folder.Write("config.json", Config);
        _folder.Write("tokenizer.json", Tokenizer);
        _folder.Write("tokenizer_config.json", """{"bos_token": null, "eos_token": "</s>", "chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}""");
        _folder.Write("generation_config.json", """{"eos_token_id": 4}""");
        _folder.Write(ShardedSafetensors.IndexFileName, """{"weight_map": {"model.embed_tokens.weight": "one.safetensors", "model.norm.weight": "one.safetensors"}}""");
        var writer = new SafetensorsWriter();
        writer.Add("model.embed_tokens.weight", [5, 16], new float[80]);
        writer.Add("model.norm.weight", [16], new float[16]);
        writer.Save(_folder.File("one.safetensors"));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("generation_config.json")]
    [InlineData(ShardedSafetensors.IndexFileName)]
    [InlineData("one.safetensors")]
    public void A_changed_file_of_a_model(string name)
    {
        var path = _folder.File(name);
        ReaderFuzz.Run(
            path, [File.ReadAllBytes(path)], () => PathInspector.Inspect(_folder.Path), e => e is InvalidInputException, _folder.Path, cases: 300, bytesPerByte: 1500,
            fixedBytes: 64 << 20, refuses: name is not ("tokenizer.json" or "tokenizer_config.json"));
    }

    [Fact]
    public void A_changed_GGUF_file_by_itself()
    {
        var path = _folder.File("lone/model.gguf");
        Directory.CreateDirectory(_folder.File("lone"));
        var bytes = new GgufBytes().Set("general.architecture", "llama").Set("llama.block_count", 1u).Set("llama.context_length", 64u).Set("llama.embedding_length", 8u)
            .Set("llama.feed_forward_length", 16u).Set("llama.attention.head_count", 2u).Set("llama.attention.layer_norm_rms_epsilon", 0.5f)
            .Set("tokenizer.ggml.model", "gpt2").Set("tokenizer.ggml.pre", "gpt-2").Set("tokenizer.ggml.tokens", ["a", "b"])
            .Add("token_embd.weight", [2, 8], new float[16]).Add("output_norm.weight", [8], new float[8]);
        ReaderFuzz.Run(path, [bytes.Compose()], () => PathInspector.Inspect(path), e => e is InvalidInputException, path, cases: 600, bytesPerByte: 1500, fixedBytes: 64 << 20);
    }

    [Fact]
    public void A_changed_GGUF_file_of_a_foreign_architecture()
    {
        var path = _folder.File("foreign.gguf");
        File.Delete(_folder.File("config.json"));
        var bytes = new GgufBytes().Set("general.architecture", "strange").Set("strange.block_count", 1u).Add("a.weight", [2, 8], new float[16]);
        ReaderFuzz.Run(path, [bytes.Compose()], () => PathInspector.Inspect(path), e => e is InvalidInputException, path, cases: 300);
    }
}
