using System.Text.Json;
using Meft.Core.Comparisons;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Tasks;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Comparisons;

public sealed class TrainingRowsOfTaskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_row_is_the_prompt_without_examples_and_the_first_answer_one_space_apart()
    {
        var lines = Write("prompt: \"{{ q }}\"\nanswers: a\nexamples: [{q: x, answer: \" y\"}]", """
            {"q": "The <b> of “Ann” is", "a": ["née 😀", "other"]}
            {"q": "ends with a space ", "a": "x"}
            {"q": "line\n", "a": "x"}
            {"q": "the answer begins with one", "a": "\tx"}
            {"q": "", "a": "x"}
            """);
        lines[0].ShouldBe("""{"prompt":"The <b> of “Ann” is","completion":" née \uD83D\uDE00"}""");
        lines.Select(Row).ShouldBe([
            ("The <b> of “Ann” is", " née 😀"), ("ends with a space ", "x"), ("line\n", "x"), ("the answer begins with one", "\tx"), ("", "x")]);
    }

    [Fact]
    public void Rows_are_those_of_the_selected_records()
    {
        var rows = string.Join('\n', "aabbccdd".Select((s, i) => $"{{\"s\": \"{s}\", \"q\": \"q{i}\"}}"));
        Write("prompt: \"{{ q }}\"\nanswers: s", rows, new RecordSelection(1, 2, "s")).Select(line => Row(line).Prompt).ShouldBe(["q2", "q4"]);
    }

    [Fact]
    public void A_record_without_an_answer_is_refused_and_nothing_is_written()
    {
        var e = Should.Throw<InvalidInputException>(() => Write(
            "prompt: \"{{ q }}\"\nanswers: a\nno_answer: none", "{\"q\": \"one\", \"a\": \"x\"}\n{\"q\": \"two\", \"a\": []}"));
        e.Location.ShouldBe($"{_folder.File("rows.jsonl")}:2");
        e.Problem.ShouldBe("the record has no answer to learn (part all)");
        File.Exists(_folder.File("train.jsonl")).ShouldBeFalse();
        Should.Throw<InvalidInputException>(() => Write("kind: perplexity", "{\"text\": \"a\"}")).Problem.ShouldContain("asks for no answer");
    }

    public void Dispose() => _folder.Dispose();

    private string[] Write(string task, string rows, RecordSelection? records = null)
    {
        var source = new TaskSource(
            EvalTask.Load(_folder.Write("task.yaml", task)), _folder.Write("rows.jsonl", rows), records ?? RecordSelection.All, [], 1, IsOldKnowledge: false);
        var count = TrainingRowsOfTask.Write(source, _folder.File("train.jsonl"));
        var text = File.ReadAllText(_folder.File("train.jsonl"));
        text.ShouldEndWith("\n");
        var lines = text.TrimEnd('\n').Split('\n');
        lines.Length.ShouldBe(count);
        return lines;
    }

    private static (string Prompt, string Completion) Row(string line)
    {
        using var json = JsonDocument.Parse(line);
        return (json.RootElement.GetProperty("prompt").GetString()!, json.RootElement.GetProperty("completion").GetString()!);
    }
}
