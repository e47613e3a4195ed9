using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class EvalVerbTests : IDisposable
{
    private const string Task = """
        description: letters
        data: {path: data.jsonl}
        prompt: "{{ q }}"
        answers: a
        metrics: [exact_match, f1]
        decoding: {max_new_tokens: 3}
        """;

    private const string Data = "{\"q\": \"a\", \"a\": \"b\"}\n{\"q\": \"ab\", \"a\": [\"c\", \"a\"]}\n{\"q\": \"c\", \"a\": \"cc\"}";

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_task_of_ones_own_gives_a_table_or_a_document_and_rows()
    {
        var output = _folder.File("rows.jsonl");
        var run = Eval(Task, "--output", output);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldStartWith("task: letters\n3 records, 3 rows\n\nmetric  ");
        run.Output.ShouldContain("\nexact_match  ");
        var lines = File.ReadAllLines(output);
        lines.Length.ShouldBe(4);
        lines[0].ShouldStartWith("{\"eval\":{");
        lines[1].ShouldStartWith("{\"index\":0,\"record\":0,\"part\":\"all\",\"prompt\":\"a\",\"prediction\":");

        using var document = JsonDocument.Parse(Eval(Task, "--json").Output);
        document.RootElement.GetProperty("task").GetString().ShouldBe("task");
        document.RootElement.GetProperty("rows").GetInt32().ShouldBe(3);
        var results = document.RootElement.GetProperty("results").EnumerateArray().ToList();
        results.Select(r => r.GetProperty("metric").GetString()).ShouldBe(["exact_match", "f1"]);
        foreach (var result in results)
        {
            var expected = lines.Skip(1).Average(l => JsonDocument.Parse(l).RootElement.GetProperty("scores").GetProperty(result.GetProperty("metric").GetString()!).GetDouble());
            result.GetProperty("value").GetDouble().ShouldBe(expected, 1e-12);
            result.GetProperty("unit").GetString().ShouldBe("share");
        }
    }

    [Fact]
    public void A_second_run_finds_its_rows_and_another_is_refused()
    {
        var output = _folder.File("rows.jsonl");
        var first = Eval(Task, "--output", output);
        var text = File.ReadAllText(output);
        var again = Eval(Task, "--output", output);
        again.Output.ShouldBe(first.Output);
        again.Error.ShouldContain("3 of 3 rows are there already");
        File.ReadAllText(output).ShouldBe(text);

        foreach (var (arguments, name) in new[] { (new[] { "--limit", "2" }, "limit"), (["--adapter", SampleModel.WriteAdapter(_folder)], "adapter") })
        {
            var other = Eval(Task, ["--output", output, .. arguments]);
            (other.ExitCode, other.Output).ShouldBe((2, ""));
            other.ErrorLines[^1].ShouldContain($"holds the rows of another evaluation; what differs: {name} (");
        }
        File.ReadAllText(output).ShouldBe(text);
    }

    [Fact]
    public void An_interrupted_run_leaves_with_code_1()
    {
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        var arguments = Arguments(Task, "--output", _folder.File("rows.jsonl"));
        var run = ProgramRun.OfInterruptible(Meft.Cli.Verbs.VerbList.Create(), arguments, stopped.Token);
        (run.ExitCode, run.Output).ShouldBe((1, ""));
    }

    [Fact]
    public void A_limit_counts_records_or_windows_and_the_seed_moves_intervals_alone()
    {
        Eval(Task, "--limit", "2").Output.ShouldContain("2 records, 2 rows");
        Eval(Task, "--limit", "2").Output.ShouldEndWith("intervals over as few as 2 say little\n");
        var text = _folder.Write("text.txt", "abcabcabcaabbccaacbb");
        const string task = "kind: perplexity\nwindow: 4";
        var two = Eval(task, "--data", text, "--limit", "2");
        two.Output.ShouldContain("1 records, 2 rows");
        var (first, second) = (Eval(task, "--data", text, "--json"), Eval(task, "--data", text, "--json", "--seed", "1"));
        first.Output.ShouldBe(Eval(task, "--data", text, "--json").Output);
        Value(first).ShouldBe(Value(second));
        first.Output.ShouldNotBe(second.Output);

        static double Value(ProgramRun run) =>
            JsonDocument.Parse(run.Output).RootElement.GetProperty("results")[0].GetProperty("value").GetDouble();
    }

    [Fact]
    public void Parts_are_named_and_an_adapter_changes_what_is_measured()
    {
        const string task = """
            data: {path: data.jsonl}
            prompt: "{{ q }}"
            parts: {said: {answers: a}, chosen: {kind: choose, choices: "['a', 'b']", right: 0}}
            """;
        var plain = Eval(task);
        plain.Output.ShouldContain("\nsaid: exact_match ");
        plain.Output.ShouldContain("\nchosen: magnitude ");
        Eval(task, "--adapter", SampleModel.WriteAdapter(_folder)).Output.ShouldNotBe(plain.Output);
    }

    [Theory]
    [InlineData("nq_opn", "there is no task 'nq_opn' (did you mean nq_open?)")]
    [InlineData("nq_open", "meft eval: the task nq_open names no data. Allowed: --data with a file or a folder")]
    public void A_wrong_name_or_no_data_is_refused(string task, string problem)
    {
        var run = ProgramRun.Of("eval", task, "--model", "m");
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
    }

    [Theory]
    [InlineData("--limit", "0", "--limit is 0. Allowed: a whole number from 1")]
    [InlineData("--batch", "0", "--batch is 0")]
    [InlineData("--seed", "x", "--seed is 'x', which is no whole number")]
    [InlineData("--data", "missing.jsonl", "missing.jsonl: the data file does not exist")]
    public void Wrong_options_are_refused(string option, string value, string problem)
    {
        var run = Eval(Task, option, value);
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
    }

    [Fact]
    public void A_wrong_task_or_row_is_refused_at_its_line_and_the_data_are_not_written_over()
    {
        Eval(Task + "\nanswrs: b").ErrorLines.ShouldHaveSingleItem().ShouldContain("task.yaml:7: answrs: unknown key; the nearest known one is answers");
        Eval(Task.Replace("{{ q }}", "{{ p }}")).ErrorLines.ShouldHaveSingleItem().ShouldContain("data.jsonl:1: the record does not fit the task's prompt (part all): 'p' is undefined");
        Eval(Task, "--output", _folder.File("data.jsonl")).ErrorLines.ShouldHaveSingleItem().ShouldContain("is the file of --data");
        File.ReadAllText(_folder.File("data.jsonl")).ShouldBe(Data);
    }

    public void Dispose() => _folder.Dispose();

    private ProgramRun Eval(string task, params string[] arguments) => ProgramRun.Of(Arguments(task, arguments));

    private string[] Arguments(string task, params string[] arguments)
    {
        _folder.Write("data.jsonl", Data);
        return ["eval", _folder.Write("task.yaml", task), "--model", SampleModel.Write(_folder), .. arguments];
    }
}
