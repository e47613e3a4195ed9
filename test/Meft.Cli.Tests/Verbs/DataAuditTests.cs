using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

/// <summary>What <c>train</c> and <c>tokenize</c> say of rows, and the forms and files they take them from.</summary>
public sealed class DataAuditTests : IDisposable
{
    private const string Template = "{% for m in messages %}{{ m.content }}</s>{% endfor %}";

    /// <summary>The sample's, whose tokens are joined without a space.</summary>
    private static readonly string Tokenizer = SampleModel.Tokenizer.Replace("\"decoder\": null", "\"decoder\": {\"type\": \"Fuse\"}", StringComparison.Ordinal);

    private readonly TemporaryFolder _folder = new();

    public DataAuditTests()
    {
        SampleModel.Write(_folder);
        _folder.Write("model/tokenizer.json", Tokenizer);
        _folder.Write("model/chat_template.jinja", Template);
    }

    [Theory]
    [InlineData("rows.csv", "prompt,completion\nab,c\nba,\"c\"\n")]
    [InlineData("rows.json", "[{\"prompt\":\"ab\",\"completion\":\"c\"},\n {\"prompt\":\"ba\",\"completion\":\"c\"}]")]
    [InlineData("rows.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"ab\"},{\"role\":\"assistant\",\"content\":\"c\"}]}\n")]
    public void Every_file_and_form_can_be_trained_and_the_audit_is_saved(string name, string text)
    {
        _folder.Write(name, text);
        var run = Train(name, "");
        run.ExitCode.ShouldBe(0, run.Error);
        run.Error.ShouldContain("data.train: ");
        run.Error.ShouldContain("⟦c</s>⟧");
        run.Error.ShouldNotContain("\u001b");
        using var audit = JsonDocument.Parse(File.ReadAllText(_folder.File("run/audit.json")));
        audit.RootElement.GetProperty("train").GetProperty("rows_kept").GetInt32().ShouldBeGreaterThan(0);
        audit.RootElement.TryGetProperty("validation", out _).ShouldBeFalse();
    }

    [Fact]
    public void Rows_that_cannot_be_used_are_told_all_at_once_with_the_audit()
    {
        _folder.Write("rows.jsonl", "{\"text\":\"ab\"}\n{\n{\"text\":\"\"}\n{\"txet\":\"a\"}\n");
        var run = Train("rows.jsonl", "");
        run.ExitCode.ShouldBe(2);
        run.Output.ShouldBe("");
        run.Error.ShouldContain("cannot be used   3 rows (1 with nothing to train on)");
        var error = run.Error[run.Error.IndexOf("error: ", StringComparison.Ordinal)..];
        error.ShouldContain("3 of 4 rows cannot be used");
        foreach (var line in new[] { "rows.jsonl:2: ", "rows.jsonl:3: ", "rows.jsonl:4: " }) (run.Error.Split(line).Length - 1, error.Contains(line, StringComparison.Ordinal)).ShouldBe((1, true), line);
        Directory.Exists(_folder.File("run")).ShouldBeFalse();

        var skipping = Train("rows.jsonl", "", "--set", "data.bad_rows=skip");
        skipping.ExitCode.ShouldBe(0, skipping.Error);
        skipping.Error.ShouldContain("4 rows read, 1 to train on");
    }

    [Fact]
    public void A_dry_run_shows_the_audit_and_rows_that_validation_shares()
    {
        _folder.Write("rows.jsonl", "{\"prompt\":\"ab\",\"completion\":\"c\"}\n{\"prompt\":\"cab\",\"completion\":\"c\"}\n");
        _folder.Write("v.jsonl", "{\"prompt\":\"ab\",\"completion\":\"c\"}\n{\"prompt\":\"cab\",\"completion\":\"b\"}\n");
        var run = Train("rows.jsonl", ", validation: v.jsonl", "--dry-run");
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("data.validation: 2 rows read");
        run.Output.ShouldContain($"warning: 1 row of data.validation is in data.train too: {_folder.File("v.jsonl")}:1 = {_folder.File("rows.jsonl")}:1");
        run.Output.ShouldContain("warning: 1 row more of data.validation has the prompt of a row in data.train");
        Directory.Exists(_folder.File("run")).ShouldBeFalse();
    }

    [Fact]
    public void Tokenize_shows_the_audit_of_a_file_as_text_and_as_json()
    {
        var rows = _folder.Write("rows.csv", "prompt,completion\nab,c\n\"a\nb\",\nb,cccc\n");
        string[] command = ["tokenize", "--model", _folder.File("model"), "--input", rows, "--max-length", "4", "--audit"];
        var run = ProgramRun.Of(command);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldBe($"""
            rows.csv: 3 rows read, 1 to train on, 3 tokens, 2 of them trained
              cannot be used   1 row (1 with nothing to train on)
                {rows}:3: the row has nothing to train on: its completion is empty
              too long         1 row of more than 4 tokens
                the longest: {rows}:5 (6)
              tokens a row     p50 3, p90 3, p99 3, longest 3
              the first: {rows}:2, 3 tokens, 2 trained
                ab⟦c</s>⟧

            """.ReplaceLineEndings("\n"));
        using var json = JsonDocument.Parse(ProgramRun.Of([.. command, "--json"]).Output);
        json.RootElement.GetProperty("refused")[0].GetProperty("place").GetString().ShouldBe($"{rows}:3");
    }

    [Theory]
    [InlineData("error", "1 to train on, 3 tokens, 2 of them trained", "1 row of more than 4 tokens")]
    [InlineData("truncate", "2 to train on, 7 tokens, 5 of them trained", "1 row of more than 4 tokens, cut off: 2 tokens lost")]
    [InlineData("drop", "1 to train on, 3 tokens, 2 of them trained", "1 row of more than 4 tokens, left out: 6 tokens lost")]
    public void Tokenize_shows_what_becomes_of_longer_rows_as_train_does(string what, string kept, string tooLong)
    {
        var rows = _folder.Write("rows.csv", "prompt,completion\nab,c\nb,cccc\n");
        var run = ProgramRun.Of("tokenize", "--model", _folder.File("model"), "--input", rows, "--max-length", "4", "--audit", "--over-length", what);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        var lines = run.Output.Split('\n');
        lines[0].ShouldBe($"rows.csv: 2 rows read, {kept}");
        lines[1].ShouldBe($"  too long         {tooLong}");
        var trained = Train("rows.csv", $", max_length: 4, over_length: {what}", "--dry-run");
        (trained.Output + trained.Error).ShouldContain($": 2 rows read, {kept}\n  too long         {tooLong}\n");
    }

    [Fact]
    public void What_can_become_of_longer_rows_is_named()
    {
        var rows = _folder.Write("rows.jsonl", "{\"text\":\"ab\"}");
        var run = ProgramRun.Of("tokenize", "--model", _folder.File("model"), "--input", rows, "--audit", "--over-length", "cut");
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("--over-length is 'cut'");
        run.Error.ShouldContain("error | truncate | drop");
    }

    [Fact]
    public void Tokenize_labels_the_answers_of_conversations()
    {
        var rows = _folder.Write("rows.json", "[{\"messages\":[{\"role\":\"user\",\"content\":\"ab\"},{\"role\":\"assistant\",\"content\":\"b\"}]}]");
        ProgramRun.Of("tokenize", "--model", _folder.File("model"), "--input", rows).Output.ShouldBe(
            "{\"index\":0,\"input_ids\":[3,4,1,4],\"pieces\":[\"ab\",\"</s>\",\"b\",\"</s>\"],\"labels\":[-100,-100,1,4]}\n");
    }

    [Theory]
    [InlineData("--json")]
    [InlineData("--over-length", "drop")]
    [InlineData("--audit", "--output", "out.jsonl")]
    public void Options_that_do_not_go_together_are_refused(params string[] options)
    {
        var rows = _folder.Write("rows.jsonl", "{\"text\":\"ab\"}");
        var run = ProgramRun.Of(["tokenize", "--model", _folder.File("model"), "--input", rows, .. options]);
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("--audit");
    }

    [Fact]
    public void Control_characters_of_data_do_not_reach_the_screen()
    {
        _folder.Write("model/tokenizer.json", Tokenizer.Replace("\"c\": 2", "\"\\u001b\": 2", StringComparison.Ordinal));
        var rows = _folder.Write("rows.jsonl", "{\"text\":\"a\\u001b\"}");
        ProgramRun.Of("tokenize", "--model", _folder.File("model"), "--input", rows, "--audit").Output.ShouldContain("a⟦␛</s>⟧");
    }

    [Fact]
    public void Score_and_generate_read_the_same_files()
    {
        var rows = _folder.Write("rows.csv", "prompt,completion\nab,c\n");
        ProgramRun.Of("score", "--model", _folder.File("model"), "--input", rows).Output.ShouldContain("rows        1");
        ProgramRun.Of("generate", "--model", _folder.File("model"), "--input", rows, "--max-new-tokens", "2").Output.ShouldContain("\"index\":0");
        var chat = _folder.Write("chat.json", "[{\"messages\":[{\"role\":\"user\",\"content\":\"ab\"},{\"role\":\"assistant\",\"content\":\"b\"}]}]");
        ProgramRun.Of("score", "--model", _folder.File("model"), "--input", chat).Output.ShouldContain("tokens      4 (2 scored)");
    }

    public void Dispose() => _folder.Dispose();

    private ProgramRun Train(string rows, string more, params string[] options) => ProgramRun.Of(
    [
        "train",
        _folder.Write("config.yaml", $$"""
            model: model
            output: run
            method: {kind: meft, rank: 32, top_k: 8, experts: 8, probe: 2}
            data: {train: {{rows}}{{more}}}
            batch: {size: 2}
            max_steps: 1
            """),
        .. options,
    ]);
}
