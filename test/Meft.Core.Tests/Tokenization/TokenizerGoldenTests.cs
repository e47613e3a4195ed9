using System.Text.Json;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

/// <summary>Every tokenizer against what the reference libraries give.</summary>
[Trait("Category", "Fixtures")]
public class TokenizerGoldenTests
{
    public static TheoryData<string> Goldens => Assets.Files("tokenizers/expected/hf", "*.json");

    public static TheoryData<string> GgmlCases => Assets.Files("tokenizers/ggml-cases", "*.inp");

    [Theory, MemberData(nameof(Goldens))]
    public void Encodes_and_decodes_as_the_tokenizers_library(string name)
    {
        TokenizerGoldens.ShouldPassHuggingFace(HuggingFaceTokenizer.Load(Assets.Require("tokenizers", name)), name);
    }

    [Theory, MemberData(nameof(GgmlCases))]
    public void Encodes_as_ggml(string name)
    {
        var folder = name switch
        {
            "ggml-vocab-gpt-2.gguf" => "gpt2",
            "ggml-vocab-llama-bpe.gguf" => "llama3",
            "ggml-vocab-llama-spm.gguf" => "llama2",
            "ggml-vocab-qwen2.gguf" => "qwen2.5",
            _ => throw new NotSupportedException($"no tokenizer is known for the case {name}"),
        };
        TokenizerGoldens.ShouldPassGgml(HuggingFaceTokenizer.Load(Assets.Require("tokenizers", folder)), name);
    }

    [Fact]
    public void Encodes_and_decodes_stories_as_stories260K_was_trained()
    {
        var golden = Read(Assets.Require("fixtures", "stories260K_golden.json"));
        var tokenizer = HuggingFaceTokenizer.Load(Assets.Require("models", "stories260K"));
        var firstStory = File.ReadLines(Assets.Require("datasets", "text", "tinystories_valid_excerpt.txt")).First();
        tokenizer.Encode(firstStory, addSpecialTokens: true).ShouldBe(Ids(golden, "line0_ids"));
        tokenizer.Encode("Once upon a time, there was a little girl named Lily.", addSpecialTokens: true).ShouldBe(Ids(golden, "prompt_ids"));
        tokenizer.Decode(Ids(golden, "greedy_ids_200"), skipSpecialTokens: true).ShouldBe(golden.GetProperty("text").GetString());
    }

    private static JsonElement Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(file));
        return document.RootElement.Clone();
    }

    private static int[] Ids(JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
