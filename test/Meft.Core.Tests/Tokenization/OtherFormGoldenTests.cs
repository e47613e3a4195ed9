using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Meft.Core.Tokenization;
using Meft.Core.Tokenization.SentencePiece;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

/// <summary>The other forms of the tokenizers: each alone in a folder, or in a GGUF file, against the goldens of its tokenizer.json.</summary>
[Trait("Category", "Fixtures")]
public sealed partial class OtherFormGoldenTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama2", "ggml-vocab-llama-spm.gguf", "tokenizer.model", "tokenizer_config.json")]
    [InlineData("mistral", null, "tokenizer.model")]
    [InlineData("qwen2.5", "ggml-vocab-qwen2.gguf", "vocab.json", "merges.txt", "tokenizer_config.json")]
    public void Files_without_tokenizer_json_give_the_same_tokens(string name, string? ggmlCase, params string[] files)
    {
        var tokenizer = LoadAlone(name, files);
        TokenizerGoldens.ShouldPassHuggingFace(tokenizer, name);
        if (ggmlCase is not null) TokenizerGoldens.ShouldPassGgml(tokenizer, ggmlCase);
        ShouldHaveTheTokensOf(HuggingFaceTokenizer.Load(Assets.Require("tokenizers", name)), tokenizer);
    }

    [Theory]
    [InlineData("tokenizer_config.json", "{\"tokenizer_class\": \"GPT2TokenizerFast\"}")]
    [InlineData("config.json", "{\"model_type\": \"gpt2\"}")]
    public void Gpt2_is_told_by_its_class_or_its_model(string file, string text)
    {
        _folder.Write(file, text);
        var tokenizer = LoadAlone("gpt2", "vocab.json", "merges.txt");
        TokenizerGoldens.ShouldPassHuggingFace(tokenizer, "gpt2");
        TokenizerGoldens.ShouldPassGgml(tokenizer, "ggml-vocab-gpt-2.gguf");
    }

    [Theory]
    [InlineData("tokenizer.model", "tokenizer_config.json")]
    [InlineData("tokenizer.model")]
    public void Llama3_is_read_from_tiktokens_form_with_and_without_a_config(params string[] files)
    {
        const int begin = 128_000; // which the tokenizer.json of the assets, of Llama 3's first day, lacks
        var tokenizer = LoadAlone("llama3", files);
        tokenizer.BeginTokens.ShouldBe([begin]);
        TokenizerGoldens.ShouldPassHuggingFace(tokenizer, "llama3", begin);
        TokenizerGoldens.ShouldPassGgml(tokenizer, "ggml-vocab-llama-bpe.gguf");
        ShouldHaveTheTokensOf(HuggingFaceTokenizer.Load(Assets.Require("tokenizers", "llama3")), tokenizer);
    }

    [Theory]
    [InlineData("gpt2", "gpt-2", "ggml-vocab-gpt-2.gguf")]
    [InlineData("smollm2", "smollm", null)]
    [InlineData("qwen2.5", "qwen2", "ggml-vocab-qwen2.gguf")]
    [InlineData("llama3", "llama-bpe", "ggml-vocab-llama-bpe.gguf", 128_000)]
    public void A_byte_level_tokenizer_in_a_GGUF_file_gives_the_same_tokens(string name, string split, string? ggmlCase, params int[] begin)
    {
        var bytes = GgufTokenizers.ByteLevel(Assets.Require("tokenizers", name, "tokenizer.json"), split);
        if (begin is [var id]) bytes.Set("tokenizer.ggml.bos_token_id", (uint)id);
        var tokenizer = Load(bytes);
        TokenizerGoldens.ShouldPassHuggingFace(tokenizer, name, begin, text => name != "smollm2" || IsSplitAlike(text));
        if (ggmlCase is not null) TokenizerGoldens.ShouldPassGgml(tokenizer, ggmlCase);
    }

    [Theory]
    [InlineData("llama2", "ggml-vocab-llama-spm.gguf")]
    [InlineData("mistral", null)]
    public void A_SentencePiece_tokenizer_in_a_GGUF_file_gives_the_same_tokens(string name, string? ggmlCase)
    {
        var tokenizer = Load(GgufTokenizers.SentencePiece(Assets.Require("tokenizers", name, "tokenizer.model")));
        TokenizerGoldens.ShouldPassHuggingFace(tokenizer, name);
        if (ggmlCase is not null) TokenizerGoldens.ShouldPassGgml(tokenizer, ggmlCase);
    }

    [Fact]
    public void The_tokenizer_in_SmolLM2s_own_GGUF_file_is_that_of_its_tokenizer_json()
    {
        var tokenizer = HuggingFaceTokenizer.Load(Assets.Require("models", "smollm2-135m-instruct", "model.Q4_1.gguf"));
        TokenizerGoldens.ShouldPassHuggingFace(tokenizer, "smollm2", [], IsSplitAlike);
        ShouldHaveTheTokensOf(HuggingFaceTokenizer.Load(Assets.Require("tokenizers", "smollm2")), tokenizer);
    }

    [Theory]
    [InlineData("llama2")]
    [InlineData("mistral")]
    public void The_merges_found_in_a_vocabulary_are_those_of_tokenizer_json(string name)
    {
        var file = Assets.Require("tokenizers", name, "tokenizer.model");
        var model = SentencePieceFile.Read(file, File.ReadAllBytes(file));
        using var json = JsonDocument.Parse(File.ReadAllText(Assets.Require("tokenizers", name, "tokenizer.json")));
        var merges = json.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Select(merge =>
            merge.ValueKind == JsonValueKind.String ? merge.GetString()!.Split(' ') : [.. merge.EnumerateArray().Select(part => part.GetString()!)]);
        SentencePieceTokenizer.MergesOf(model, SentencePieceTokenizer.VocabularyOf(model))
            .Select(pair => (model.Pieces[pair.Left].Text, model.Pieces[pair.Right].Text))
            .ShouldBe(merges.Select(pair => (pair[0], pair[1])));
    }

    [Fact]
    public void SmolLM2s_GGUF_file_splits_digits_as_its_published_tokenizer_json_does()
    {
        var json = JsonNode.Parse(File.ReadAllText(Assets.Require("tokenizers", "smollm2", "tokenizer.json")))!.AsObject();
        var byteLevel = json["pre_tokenizer"]!.DeepClone();
        json["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }, byteLevel),
        };
        var (expected, actual) = (SampleTokenizers.Load(json), HuggingFaceTokenizer.Load(Assets.Require("models", "smollm2-135m-instruct", "model.Q4_1.gguf")));
        foreach (var text in TokenizerGoldens.Texts("smollm2"))
            actual.Encode(text, addSpecialTokens: true).ShouldBe(expected.Encode(text, addSpecialTokens: true), text);
    }

    /// <summary>
    /// SmolLM2 splits numbers into digits before all else, and its GGUF file says so. The tokenizer.json of the assets was saved without that
    /// step, which shows with numbers like ① and with several spaces before a digit: the vocabulary joins a space with some other bytes.
    /// </summary>
    private static bool IsSplitAlike(string text) =>
        text.EnumerateRunes().All(rune => !Rune.IsNumber(rune) || rune.IsAscii) && !SpacesBeforeDigit().IsMatch(text);

    [GeneratedRegex(@"\s\s[0-9]")]
    private static partial Regex SpacesBeforeDigit();

    private static void ShouldHaveTheTokensOf(HuggingFaceTokenizer expected, HuggingFaceTokenizer actual)
    {
        actual.VocabularySize.ShouldBe(expected.VocabularySize);
        for (var id = 0; id < expected.VocabularySize; id++)
        {
            actual.Piece(id).ShouldBe(expected.Piece(id));
            actual.IsSpecial(id).ShouldBe(expected.IsSpecial(id), expected.Piece(id));
        }
    }

    private HuggingFaceTokenizer LoadAlone(string name, params string[] files)
    {
        foreach (var file in files) File.CreateSymbolicLink(_folder.File(file), Assets.Require("tokenizers", name, file));
        return HuggingFaceTokenizer.Load(_folder.Path);
    }

    private HuggingFaceTokenizer Load(GgufBytes bytes)
    {
        File.WriteAllBytes(_folder.File("model.gguf"), bytes.Compose());
        return HuggingFaceTokenizer.Load(_folder.File("model.gguf"));
    }
}
