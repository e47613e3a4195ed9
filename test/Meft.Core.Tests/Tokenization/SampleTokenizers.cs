using System.Text.Json.Nodes;
using Meft.Core.Tokenization;
using Meft.TestSupport;

namespace Meft.Core.Tests.Tokenization;

/// <summary>Small tokenizer.json files made in code: one a common form.</summary>
internal static class SampleTokenizers
{
    /// <summary>Byte-level, as GPT-2 and Llama 3: all 256 bytes, a few merges, special tokens.</summary>
    public static JsonObject ByteLevel()
    {
        var vocabulary = new JsonObject();
        foreach (var character in ByteAlphabet.Characters) vocabulary[character.ToString()] = vocabulary.Count;
        foreach (var token in (string[])["he", "ll", "llo", "hello", "Ġw", "Ġwo"]) vocabulary[token] = vocabulary.Count;
        return new JsonObject
        {
            ["added_tokens"] = new JsonArray(AddedToken(vocabulary.Count, "<|end|>"), AddedToken(vocabulary.Count + 1, "<|begin|>")),
            ["normalizer"] = new JsonObject { ["type"] = "NFC" },
            ["pre_tokenizer"] = Sequence(
                "pretokenizers",
                new JsonObject
                {
                    ["type"] = "Split",
                    ["pattern"] = new JsonObject { ["Regex"] = @" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+" },
                    ["behavior"] = "Isolated",
                    ["invert"] = false,
                },
                new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray("h e", "l l", "ll o", "he llo", "Ġ w", "Ġw o"),
            },
            ["post_processor"] = Template("<|begin|>", 263),
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
        };
    }

    /// <summary>Byte fallback, as Llama 2 and Mistral.</summary>
    public static JsonObject ByteFallback()
    {
        var vocabulary = new JsonObject { ["<unk>"] = 0, ["<s>"] = 1, ["</s>"] = 2 };
        for (var value = 0; value < 256; value++) vocabulary[$"<0x{value:X2}>"] = vocabulary.Count;
        foreach (var token in (string[])["▁", "a", "b", "▁a", "ab", "▁ab", "日"]) vocabulary[token] = vocabulary.Count;
        return new JsonObject
        {
            ["added_tokens"] = new JsonArray(AddedToken(0, "<unk>"), AddedToken(1, "<s>"), AddedToken(2, "</s>")),
            ["normalizer"] = Sequence(
                "normalizers",
                new JsonObject { ["type"] = "Prepend", ["prepend"] = "▁" },
                new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = " " }, ["content"] = "▁" }),
            ["pre_tokenizer"] = null,
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["unk_token"] = "<unk>",
                ["fuse_unk"] = true,
                ["byte_fallback"] = true,
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray(Pair("▁", "a"), Pair("a", "b"), Pair("▁a", "b")),
            },
            ["post_processor"] = Template("<s>", 1),
            ["decoder"] = Sequence(
                "decoders",
                new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = "▁" }, ["content"] = " " },
                new JsonObject { ["type"] = "ByteFallback" },
                new JsonObject { ["type"] = "Fuse" },
                new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 }),
        };
    }

    /// <summary>Writes a file into a temporary folder and loads it.</summary>
    public static HuggingFaceTokenizer Load(string json)
    {
        using var folder = new TemporaryFolder();
        return HuggingFaceTokenizer.Load(folder.Write(HuggingFaceTokenizer.FileName, json));
    }

    public static HuggingFaceTokenizer Load(JsonObject file) => Load(file.ToJsonString());

    public static JsonObject AddedToken(
        int id, string content, bool special = true, bool singleWord = false, bool lstrip = false, bool rstrip = false, bool normalized = false) =>
        new()
        {
            ["id"] = id,
            ["content"] = content,
            ["special"] = special,
            ["single_word"] = singleWord,
            ["lstrip"] = lstrip,
            ["rstrip"] = rstrip,
            ["normalized"] = normalized,
        };

    private static JsonObject Sequence(string members, params JsonNode[] items) =>
        new() { ["type"] = "Sequence", [members] = new JsonArray(items) };

    private static JsonArray Pair(string left, string right) => [left, right];

    private static JsonObject Template(string token, int id) => new()
    {
        ["type"] = "TemplateProcessing",
        ["single"] = new JsonArray(
            new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = token } },
            new JsonObject { ["Sequence"] = new JsonObject { ["id"] = "A" } }),
        ["special_tokens"] = new JsonObject { [token] = new JsonObject { ["ids"] = new JsonArray(id) } },
    };
}
