using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Tasks;
using Meft.Core.Tests.Data;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Evaluation.Results;

public sealed class EvalResultsTests : IDisposable
{
    private static readonly EvalIdentity Identity = new(new Dictionary<string, string> { ["model"] = "m", ["task"] = "t" });
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Answers_are_averaged_over_records_and_those_without_an_answer_told_apart()
    {
        var (task, items) = Items(
            "prompt: x\nanswers: a\nno_answer: Unanswerable\nmetrics: [exact_match, f1]",
            "{\"a\": \"red cat\"}\n{\"a\": []}\n{\"a\": []}\n{\"a\": \"dog\"}");
        var rows = items.Zip(["red dog", "unanswerable.", "perhaps", "Dog"], EvalRow.OfAnswer).ToList();
        rows[1].Json.ShouldBe(
            "{\"index\":1,\"record\":1,\"part\":\"all\",\"prompt\":\"x\",\"prediction\":\"unanswerable.\",\"answers\":[],\"scores\":{\"exact_match\":1,\"f1\":1}}");
        var summary = EvalSummary.Of(task, items, rows, 0);
        (summary.Records, summary.Items).ShouldBe((4, 4));
        summary.Results.Select(r => (r.Slice, r.Metric, r.Value, r.Count)).ShouldBe(
        [
            (null, "exact_match", 0.5, 4), (null, "f1", 0.625, 4),
            ("answerable", "exact_match", 0.5, 2), ("answerable", "f1", 0.75, 2),
            ("unanswerable", "exact_match", 0.5, 2), ("unanswerable", "f1", 0.5, 2),
        ]);
        summary.Results.ShouldAllBe(r => r.Interval != null && r.Interval.Low <= r.Value && r.Value <= r.Interval.High);
    }

    [Fact]
    public void A_record_with_many_questions_counts_no_more_than_one_with_few()
    {
        var (task, items) = Items("each: n\nprompt: \"{{ item }}\"\nanswers: \"'y'\"", "{\"n\": [\"a\", \"b\", \"c\", \"d\"]}\n{\"n\": [\"e\"]}");
        var rows = items.Zip(["y", "n", "n", "n", "y"], EvalRow.OfAnswer);
        // The mean of 1/4 and 1, not 2/5.
        EvalSummary.Of(task, items, rows, 0).Results.ShouldHaveSingleItem().Value.ShouldBe(0.625, 1e-12);
    }

    [Fact]
    public void Choices_are_compared_after_their_lengths_are_taken_out()
    {
        var (task, items) = Items("kind: choose\nprompt: x\nchoices: \"['ab', 'c']\"\nright: 0\nnormalize: tokens", "{}");
        var row = EvalRow.OfChoices(items[0], [2 * Math.Log(2), Math.Log(4)]);
        row.Scores["accuracy"].ShouldBe(1);
        row.Scores["magnitude"].ShouldBe(0.25, 1e-12);
        EvalSummary.Of(task, items, [row], 0).Results.Select(r => (r.Metric, r.Interval)).ShouldBe([("accuracy", null), ("magnitude", null)]);
    }

    [Fact]
    public void Perplexity_is_over_tokens_not_over_windows()
    {
        var (task, items) = Items("kind: perplexity\nwindow: 4", "{\"text\": \"abcdef\"}");
        items.Count.ShouldBe(2);
        // Three tokens of ln 2 and two of ln 4.
        var rows = new[] { EvalRow.OfWindow(items[0], 3 * Math.Log(2)), EvalRow.OfWindow(items[1], 2 * Math.Log(4)) };
        var results = EvalSummary.Of(task, items, rows, 0).Results;
        results.Select(r => r.Metric).ShouldBe(["perplexity", "nll_per_token"]);
        results[1].Value.ShouldBe(7 * Math.Log(2) / 5, 1e-12);
        results[0].Value.ShouldBe(Math.Pow(2, 1.4), 1e-12);
        results[0].Interval!.Low.ShouldBe(Math.Exp(results[1].Interval!.Low), 1e-12);
    }

    [Fact]
    public void A_row_is_read_back_as_it_was()
    {
        var (_, items) = Items("prompt: \"é \\\"\"\nanswers: \"'y'\"", "{}");
        var row = EvalRow.OfAnswer(items[0], "日本\n");
        row.Json.ShouldContain("日本");
        var read = EvalRow.Read(row.Json).ShouldNotBeNull();
        (read.Index, read.Json, read.Scores["exact_match"]).ShouldBe((0, row.Json, 0.0));
        foreach (var no in new[] { "", "{}", "[]", "{\"index\":0}", "{\"index\":0,\"scores\":{\"a\":\"b\"}}", "{\"index\":0.5,\"scores\":{}}" }) EvalRow.Read(no).ShouldBeNull(no);
    }

    [Fact]
    public void An_interrupted_file_is_gone_on_with_and_ends_as_one_that_was_not()
    {
        var rows = Rows(4);
        var whole = _folder.File("whole.jsonl");
        using (var file = EvalRowsFile.Open(whole, Identity))
        {
            file.Append(rows);
            file.Complete();
        }
        var torn = _folder.File("torn.jsonl");
        using (var file = EvalRowsFile.Open(torn, Identity))
        {
            file.Append([rows[3], rows[1]]);
        }
        File.AppendAllText(torn, rows[0].Json[..20]);
        using (var file = EvalRowsFile.Open(torn, Identity))
        {
            file.Rows.Keys.ShouldBe([1, 3], ignoreOrder: true);
            file.Append([rows[0], rows[2]]);
            file.Complete();
        }
        File.ReadAllText(torn).ShouldBe(File.ReadAllText(whole));
        using (var again = EvalRowsFile.Open(torn, Identity)) again.Rows.Count.ShouldBe(4);
    }

    [Fact]
    public void A_file_whose_first_line_was_cut_off_begins_anew()
    {
        var path = _folder.Write("rows.jsonl", Identity.ToLine()[..5]);
        using (var file = EvalRowsFile.Open(path, Identity)) file.Append(Rows(1));
        File.ReadAllLines(path).Length.ShouldBe(2);
    }

    [Fact]
    public void The_rows_of_another_evaluation_are_refused_by_what_differs_and_stay()
    {
        var path = _folder.File("rows.jsonl");
        using (var file = EvalRowsFile.Open(path, Identity)) file.Append(Rows(1));
        var before = File.ReadAllText(path);
        var other = new EvalIdentity(new Dictionary<string, string> { ["model"] = "n", ["task"] = "t", ["limit"] = "5" });
        Should.Throw<InvalidInputException>(() => EvalRowsFile.Open(path, other)).Message.ShouldContain(
            "rows.jsonl: the file holds the rows of another evaluation; what differs: model (m there, n now), limit (none there, 5 now). Allowed:");
        File.ReadAllText(path).ShouldBe(before);
    }

    [Theory]
    [InlineData("notes", "does not hold rows of an evaluation")]
    [InlineData("{\"text\": 1}\n", "does not hold rows of an evaluation")]
    [InlineData("HEADER\nnot a row\n", "rows.jsonl:2: the line is no row of an evaluation")]
    public void A_file_of_something_else_is_refused_and_stays(string text, string problem)
    {
        var path = _folder.Write("rows.jsonl", text.Replace("HEADER", Identity.ToLine()));
        var before = File.ReadAllText(path);
        Should.Throw<InvalidInputException>(() => EvalRowsFile.Open(path, Identity)).Message.ShouldContain(problem);
        File.ReadAllText(path).ShouldBe(before);
    }

    [Fact]
    public void A_file_that_another_writes_is_refused_and_is_free_again_after_it()
    {
        var path = _folder.File("rows.jsonl");
        using (var file = EvalRowsFile.Open(path, Identity))
        {
            var error = Should.Throw<InvalidInputException>(() => EvalRowsFile.Open(path, Identity));
            error.Message.ShouldContain($"another process is writing these rows: process {Environment.ProcessId}");
            file.Append(Rows(1));
            file.Complete();
        }
        using (var again = EvalRowsFile.Open(path, Identity)) again.Rows.Count.ShouldBe(1);
        Directory.GetFiles(_folder.Path, "*.lock").ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_a_failure() =>
        Should.Throw<RunFailedException>(() => EvalRowsFile.Open(_folder.File("missing/rows.jsonl"), Identity)).Message.ShouldContain("the rows cannot be written");

    public void Dispose() => _folder.Dispose();

    private EvalRow[] Rows(int count)
    {
        var (_, items) = Items("prompt: \"{{ q }}\"\nanswers: \"'y'\"", string.Join('\n', Enumerable.Range(0, count).Select(i => $"{{\"q\": {i}}}")));
        return [.. items.Select(item => EvalRow.OfAnswer(item, "y"))];
    }

    private (EvalTask Task, IReadOnlyList<EvalItem> Items) Items(string yaml, string rows)
    {
        var task = EvalTask.Load(_folder.Write("task.yaml", yaml));
        var questions = EvalQuestions.Read(task, _folder.Write("data.jsonl", rows));
        return (task, EvalItems.Encode(questions, new LetterTokenizer(), new ModelLimits(70000, 64, null)));
    }
}
