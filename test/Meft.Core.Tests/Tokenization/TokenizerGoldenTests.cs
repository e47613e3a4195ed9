using System.Text.Json;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

/// <summary>Every tokenizer against what the reference libraries give.</summary>
[Trait("Category", "Fixtures")]
public class TokenizerGoldenTests
{
    private const string TextSeparator = "\n__ggml_vocab_test__\n";

    public static TheoryData<string> Goldens => Assets.Files("tokenizers/expected/hf", "*.json");

    public static TheoryData<string> GgmlCases => Assets.Files("tokenizers/ggml-cases", "*.inp");

    [Theory, MemberData(nameof(Goldens))]
    public void Encodes_and_decodes_as_the_tokenizers_library(string name)
    {
        var golden = Read(Assets.Require("tokenizers", "expected", "hf", $"{name}.json"));
        var tokenizer = HuggingFaceTokenizer.Load(Assets.Require("tokenizers", name));
        var cases = golden.GetProperty("cases").EnumerateArray().ToList();
        cases.ShouldNotBeEmpty();
        foreach (var item in cases)
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = Ids(item, "ids");
            tokenizer.Encode(text, addSpecialTokens: false).ShouldBe(ids, text);
            tokenizer.Encode(text, addSpecialTokens: true).ShouldBe(Ids(item, "ids_special"), text);
            tokenizer.Decode(ids, skipSpecialTokens: false).ShouldBe(item.GetProperty("decoded").GetString(), text);
            tokenizer.Decode(ids, skipSpecialTokens: true).ShouldBe(item.GetProperty("decoded_skip").GetString(), text);
            Stream(tokenizer, ids).ShouldBe(item.GetProperty("decoded").GetString(), text);
        }
    }

    [Theory, MemberData(nameof(GgmlCases))]
    public void Encodes_as_ggml(string name)
    {
        var input = Assets.Require("tokenizers", "ggml-cases", $"{name}.inp");
        var folder = name switch
        {
            "ggml-vocab-gpt-2.gguf" => "gpt2",
            "ggml-vocab-llama-bpe.gguf" => "llama3",
            "ggml-vocab-llama-spm.gguf" => "llama2",
            "ggml-vocab-qwen2.gguf" => "qwen2.5",
            _ => throw new NotSupportedException($"no tokenizer is known for the case {name}"),
        };
        var tokenizer = HuggingFaceTokenizer.Load(Assets.Require("tokenizers", folder));
        // A separator follows each text, the last one too.
        var texts = File.ReadAllText(input).Split(TextSeparator)[..^1];
        var lines = File.ReadAllLines(Path.ChangeExtension(input, ".out"));
        texts.Length.ShouldBe(lines.Length);
        foreach (var (text, line) in texts.Zip(lines))
        {
            var ids = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray();
            tokenizer.Encode(text, addSpecialTokens: false).ShouldBe(ids, text);
        }
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

    private static string Stream(HuggingFaceTokenizer tokenizer, int[] ids)
    {
        var decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
        return string.Concat(ids.Select(decoder.Append)) + decoder.Complete();
    }

    private static JsonElement Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(file));
        return document.RootElement.Clone();
    }

    private static int[] Ids(JsonElement item, string name) => [.. item.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
