using System.Text.Json;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

/// <summary>
/// Encodings from the test suites of transformers.js and swift-transformers, as far as their tokenizers are among the assets.
/// </summary>
[Trait("Category", "Fixtures")]
public class TestSuiteGoldenTests
{
    /// <summary>Folders of <c>tokenizers</c> by the repository that a suite names for the same vocabulary.</summary>
    private static readonly Dictionary<string, string> Folders = new()
    {
        ["Xenova/gpt2"] = "gpt2",
        ["openai-community/gpt2"] = "gpt2",
        ["distilgpt2"] = "gpt2",
        ["gpt2_encoded_tokens"] = "gpt2",
        ["Xenova/llama-tokenizer"] = "llama2",
        ["coreml-projects/Llama-2-7b-chat-coreml"] = "llama2",
        ["llama_encoded"] = "llama2",
        ["Xenova/llama3-tokenizer"] = "llama3",
        ["Xenova/Qwen1.5-0.5B-Chat"] = "qwen2.5",
    };

    private static readonly string[] Suites = ["swift", "transformersjs"];

    private static readonly Dictionary<string, HuggingFaceTokenizer> Loaded = [];

    public static TheoryData<string> Files => Assets.Enumerate("tokenizers/expected", path => Suites.SelectMany(suite =>
        Directory.EnumerateFiles(path, $"{suite}_*.json").Select(file => Path.GetFileNameWithoutExtension(file)!)));

    [Theory, MemberData(nameof(Files))]
    public void Encodes_as_other_implementations(string name)
    {
        var path = Assets.Require("tokenizers", "expected", $"{name}.json");
        using var document = JsonDocument.Parse(File.ReadAllText(path));
        var tested = 0;
        foreach (var (repository, text, ids) in Cases(name, document.RootElement))
        {
            if (!Folders.TryGetValue(repository, out var folder)) continue;
            Load(folder).Encode(text, addSpecialTokens: true).ShouldBe(ids, $"{repository}: {text}");
            tested++;
        }
        Assert.SkipWhen(tested == 0, $"none of its tokenizers is among the assets: {name}");
    }

    private static HuggingFaceTokenizer Load(string folder)
    {
        lock (Loaded)
        {
            if (!Loaded.TryGetValue(folder, out var tokenizer))
                Loaded[folder] = tokenizer = HuggingFaceTokenizer.Load(Assets.Require("tokenizers", folder));
            return tokenizer;
        }
    }

    private static IEnumerable<(string Repository, string Text, int[] Ids)> Cases(string name, JsonElement file)
    {
        if (file.TryGetProperty("token_ids", out var ids))
            return [(name["swift_".Length..], file.GetProperty("text").GetString()!, Ids(ids))];
        return name.StartsWith("swift_", StringComparison.Ordinal)
            ? file.EnumerateObject().SelectMany(suite => suite.Value.EnumerateArray().Select(item =>
                (suite.Name, item.GetProperty("input").GetString()!, Ids(item.GetProperty("encoded").GetProperty("input_ids")))))
            : file.EnumerateObject().SelectMany(suite => suite.Value.EnumerateObject().Select(item =>
                (suite.Name, item.Value.GetProperty("text").GetString()!, Ids(item.Value.GetProperty("ids")))));
    }

    private static int[] Ids(JsonElement ids) => [.. ids.EnumerateArray().Select(id => id.GetInt32())];
}
