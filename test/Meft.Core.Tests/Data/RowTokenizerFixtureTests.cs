using System.Text.Json;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Formats;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Data;

[Trait("Category", "Fixtures")]
public class RowTokenizerFixtureTests
{
    private static readonly RowOrigin Origin = new("facts", 1);

    public static TheoryData<string> Tokenizers => Assets.Enumerate(
        "tokenizers",
        path => Directory.EnumerateDirectories(path).Where(d => File.Exists(Path.Combine(d, HuggingFaceTokenizer.FileName))).Select(d => Path.GetFileName(d)!));

    [Fact]
    public void Facts_become_the_tokens_of_the_benchmark_rows()
    {
        var bench = Assets.Require("bench", "rows_facts.jsonl");
        var facts = Assets.Require("datasets", "facts", "counterfact", "counterfact-edit.json");
        var model = Assets.Require("models", "smollm2-135m-instruct");
        var tokenizer = HuggingFaceTokenizer.Load(model);
        var rows = new RowTokenizer(tokenizer, EndToken.Find(ModelLocation.Find(model), tokenizer), trainOnPrompt: false);
        var expected = RowFile.Read(bench, RowFormat.InputIds, tokenizer, 512).Cast<TokenIdsRow>().ToList();

        using var json = JsonDocument.Parse(File.ReadAllText(facts));
        var edits = json.RootElement.EnumerateArray().DistinctBy(e => e.GetProperty("subject").GetString()).Take(expected.Count).ToList();
        edits.Count.ShouldBe(expected.Count);
        foreach (var (edit, row) in edits.Zip(expected))
        {
            var given = rows.Tokenize(new PromptCompletionRow(
                Origin, edit.GetProperty("prompt").GetString()!, " " + edit.GetProperty("target_new").GetString()));
            given.InputIds.ShouldBe(row.InputIds);
            given.Labels.ShouldBe(row.Labels);
        }
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void A_prompt_and_its_completion_read_as_they_were_written(string name)
    {
        var tokenizer = HuggingFaceTokenizer.Load(Assets.Require("tokenizers", name));
        var rows = new RowTokenizer(tokenizer, endToken: null, trainOnPrompt: false);
        string[] completions = [" blue", "blue", "  two", "\nline", ".", "é", " "];
        foreach (var completion in completions)
        {
            var row = rows.Tokenize(new PromptCompletionRow(Origin, "The sky is", completion));
            tokenizer.Decode(row.InputIds, skipSpecialTokens: true).ShouldBe("The sky is" + completion);
            row.TrainedTokens.ShouldBeGreaterThan(0);
        }
    }
}
