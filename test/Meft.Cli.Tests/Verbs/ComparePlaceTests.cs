using Meft.Cli.Verbs;
using Meft.Core.Comparisons.Results;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

/// <summary>What <c>meft compare</c> does with what lies where it writes.</summary>
public sealed class ComparePlaceTests : IDisposable
{
    private const string Config = """
        output: out
        run: {model: model, batch: {size: 2}, epochs: 10, optimizer: {learning_rate: 0.05}}
        train: {task: task.yaml, data: data.jsonl}
        tasks:
          - {task: task.yaml, data: data.jsonl, show: [{metric: starts_with, label: recall}]}
        methods:
          - {name: small, method: {kind: lora, rank: 2, targets: all-linear}}
          - {name: "small, slow", method: {kind: lora, rank: 2, targets: all-linear}, optimizer: {learning_rate: 1e-9}}
        """;

    private readonly TemporaryFolder _folder = new();

    public ComparePlaceTests()
    {
        SampleModel.Write(_folder);
        _folder.Write("task.yaml", "prompt: \"{{ q }}\"\nanswers: a\nmetrics: [starts_with, f1]\ndecoding: {max_new_tokens: 2}\n");
        _folder.Write("data.jsonl", "{\"q\":\"a\",\"a\":\"b\"}\n{\"q\":\"b\",\"a\":\"cc\"}\n{\"q\":\"ca\",\"a\":\"a\"}\n{\"q\":\"cc\",\"a\":\"c\"}\n");
        _folder.Write("compare.yaml", Config);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_of_other_things_is_refused_and_stays_as_it_is()
    {
        _folder.Write("out/report.html", "mine");
        var run = Compare();
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.Error.ShouldContain("something lies in it: report.html");
        Directory.GetFileSystemEntries(_folder.File("out")).ShouldBe([_folder.File("out/report.html")]);

        // The config's own folder is such a one.
        Compare("--set", "output=.").ExitCode.ShouldBe(2);
        File.ReadAllText(_folder.File("compare.yaml")).ShouldBe(Config);
    }

    [Fact]
    public void What_lies_where_a_run_goes_is_put_aside_and_not_removed()
    {
        _folder.Write("out/methods/small/seed-0/notes.txt", "mine");
        var run = Compare();
        run.ExitCode.ShouldBe(0, run.Error);
        run.Error.ShouldContain("it lies in seed-0.aside-unknown now");
        File.ReadAllText(_folder.File("out/methods/small/seed-0.aside-unknown/notes.txt")).ShouldBe("mine");
    }

    [Fact]
    public void A_setting_that_is_changed_back_finds_what_it_came_to()
    {
        Compare().ExitCode.ShouldBe(0);
        var cell = _folder.File("out/methods/small/seed-0/cell.json");
        var (text, time) = (File.ReadAllText(cell), File.GetLastWriteTimeUtc(cell));
        var other = Compare("--set", "run.epochs=3", "--json");
        other.ExitCode.ShouldBe(0, other.Error);
        ComparisonResult.Parse(other.Output, "").Methods[0].Cost!.Steps.ShouldBe(6);
        File.ReadAllText(cell).ShouldNotBe(text);

        var again = Compare("--json");
        again.ExitCode.ShouldBe(0, again.Error);
        ComparisonResult.Parse(again.Output, "").Methods[0].Cost!.Steps.ShouldBe(20);
        (File.ReadAllText(cell), File.GetLastWriteTimeUtc(cell)).ShouldBe((text, time));
    }

    [Fact]
    public void The_results_alone_are_enough_to_go_on_elsewhere()
    {
        var before = Compare("--json");
        foreach (var folder in Directory.GetDirectories(_folder.File("out"), "run", SearchOption.AllDirectories)) Directory.Delete(folder, recursive: true);
        Directory.Delete(_folder.File("out/rows"), recursive: true);
        foreach (var file in Directory.GetFiles(_folder.File("out"), "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) is "facts.json" or "rows-1.jsonl"))
            File.Delete(file);
        var after = Compare("--json");
        (after.ExitCode, after.Output).ShouldBe((0, before.Output), after.Error);
        Directory.GetDirectories(_folder.File("out"), "run", SearchOption.AllDirectories).ShouldBeEmpty("nothing was trained again");
    }

    [Fact]
    public void Another_question_to_an_adapter_that_stays_needs_no_training()
    {
        Compare("--set", "keep_adapters=true").ExitCode.ShouldBe(0);
        var metrics = _folder.File("out/methods/small/seed-0/run/metrics.jsonl");
        var time = File.GetLastWriteTimeUtc(metrics);
        _folder.Write("compare.yaml", Config.Replace("label: recall}", "label: recall}, f1", StringComparison.Ordinal));
        var run = Compare("--set", "keep_adapters=true", "--json");
        run.ExitCode.ShouldBe(0, run.Error);
        ComparisonResult.Parse(run.Output, "").Methods[0].Figures!.Count.ShouldBe(2);
        File.GetLastWriteTimeUtc(metrics).ShouldBe(time);
        Directory.GetFiles(_folder.File("out"), "*.svg").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal).ShouldBe(["score-f1.svg", "score.svg"]);
    }

    [Fact]
    public void What_was_shown_stays_while_a_method_that_is_new_looks_for_its_rate()
    {
        Compare().ExitCode.ShouldBe(0);
        var row = File.ReadLines(_folder.File("out/table.md")).Single(line => line.StartsWith("| small, slow |", StringComparison.Ordinal));
        row.ShouldNotContain("–");
        _folder.Write("other.jsonl", "{\"q\":\"bb\",\"a\":\"a\"}\n");
        var fixedRate = Config.Replace(", optimizer: {learning_rate: 0.05}}", "}", StringComparison.Ordinal)
            .Replace("{name: small, method: {kind: lora, rank: 2, targets: all-linear}}", "{name: small, method: {kind: lora, rank: 2, targets: all-linear}, optimizer: {learning_rate: 0.05}}", StringComparison.Ordinal);
        _folder.Write("compare.yaml", fixedRate + """

              - {name: new, method: {kind: lora, rank: 1, targets: all-linear}, learning_rates: [1e-3, 2e-3]}
            grid:
              learning_rates: [1e-3, 2e-3]
              train: {task: task.yaml, data: other.jsonl}
              task: {task: task.yaml, data: other.jsonl, show: [starts_with]}
            """);
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var run = ProgramRun.OfInterruptible(VerbList.Create(), ["compare", _folder.File("compare.yaml")], stop.Token);
        run.ExitCode.ShouldBe(1, run.Error);
        run.Error.ShouldContain("2 runs were done before");
        var table = File.ReadAllText(_folder.File("out/table.md"));
        table.ShouldContain(row);
        table.ShouldContain("| new |");
    }

    [Fact]
    public void Overrides_stand_above_the_config_that_is_kept()
    {
        var run = Compare("--set", "seeds=[3]", "--set", "run.epochs=1");
        run.ExitCode.ShouldBe(0, run.Error);
        File.ReadAllText(_folder.File("out/compare.yaml")).ShouldBe("# --set seeds=[3]\n# --set run.epochs=1\n" + Config);
        File.ReadAllText(_folder.File("out/report.html")).ShouldContain("# --set run.epochs=1");
    }

    [Fact]
    public void Nothing_is_left_of_a_dry_run_or_of_an_error()
    {
        Compare("--dry-run").ExitCode.ShouldBe(0);
        Directory.Exists(_folder.File("out")).ShouldBeFalse();
        _folder.Write("compare.yaml", Config.Replace("rank: 2, targets: all-linear}}", "rank: 2, targets: [nothing]}}", StringComparison.Ordinal));
        var run = Compare();
        run.ExitCode.ShouldBe(2, run.Error);
        Directory.Exists(_folder.File("out")).ShouldBeFalse();
    }

    [Fact]
    public void A_line_tells_the_score_of_its_own_method()
    {
        const string First = "{name: small, method: {kind: lora, rank: 2, targets: all-linear}}";
        const string Learns = "{name: small, method: {kind: meft, rank: 64, top_k: 8, experts: 4, probe: 2}, optimizer: {learning_rate: 0.02}}";
        _folder.Write("compare.yaml", Config.Replace(First, Learns, StringComparison.Ordinal));
        var run = Compare("--json", "--set", "run.epochs=20");
        run.ExitCode.ShouldBe(0, run.Error);
        var (small, slow) = (ComparisonResult.Parse(run.Output, "").Methods[0].Figures![0].Value, ComparisonResult.Parse(run.Output, "").Methods[1].Figures![0].Value);
        small.ShouldNotBe(slow);
        run.Error.ShouldContain(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"done: small, slow, rate 0.000000001: recall {100 * slow:0.0} %"));
    }

    [Fact]
    public void Small_rates_do_not_share_a_folder()
    {
        _folder.Write("compare.yaml", Config.Replace(", optimizer: {learning_rate: 0.05}}", "}", StringComparison.Ordinal) + """

            grid:
              learning_rates: [1e-8, 2e-8]
              extend: 0
              train: {task: task.yaml, data: data.jsonl}
              task: {task: task.yaml, data: other.jsonl, show: [starts_with]}
            """);
        _folder.Write("other.jsonl", "{\"q\":\"bb\",\"a\":\"a\"}\n");
        var run = Compare();
        run.ExitCode.ShouldBe(0, run.Error);
        Directory.GetDirectories(_folder.File("out/methods/small")).Select(Path.GetFileName).Order()
            .ShouldBe(["rate-0.00000001", "rate-0.00000002", "seed-0"]);
    }

    private ProgramRun Compare(params string[] arguments) => ProgramRun.Of(["compare", _folder.File("compare.yaml"), .. arguments]);
}
