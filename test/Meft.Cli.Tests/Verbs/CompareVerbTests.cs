using System.Text.Json.Nodes;
using Meft.Cli.Verbs;
using Meft.Core.Comparisons.Results;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class CompareVerbTests : IDisposable
{
    private const string Task = """
        prompt: "{{ q }}"
        answers: a
        metrics: [starts_with]
        decoding: {max_new_tokens: 2}
        """;

    private const string Data = "{\"q\":\"a\",\"a\":\"b\"}\n{\"q\":\"b\",\"a\":\"cc\"}\n{\"q\":\"ca\",\"a\":\"a\"}\n{\"q\":\"cc\",\"a\":\"c\"}\n";

    private const string Config = """
        output: out
        seeds: [0, 1]
        run: {model: model, batch: {size: 2}, epochs: 20, budget: {device: 1MiB}}
        train: {task: task.yaml, data: data.jsonl}
        tasks:
          - {task: task.yaml, data: data.jsonl, show: [{metric: starts_with, label: recall}]}
          - {task: text.yaml, data: text.txt, show: [{metric: perplexity, label: old text}], old_knowledge: true}
        grid:
          learning_rates: [0.001, 0.1]
          extend: 0
          train: {task: task.yaml, data: other.jsonl}
          task: {task: task.yaml, data: other.jsonl, show: [starts_with]}
        methods:
          - {name: small LoRA, method: {kind: lora, rank: 2, targets: all-linear}}
          - {name: sparse, method: {kind: meft, rank: 64, top_k: 8, experts: 4, probe: 2, layers: all}, optimizer: {learning_rate: 0.02}}
          - {name: too large, method: {kind: parallel, rank: 65536}}
        reference: small LoRA
        """;

    private readonly TemporaryFolder _folder = new();

    public CompareVerbTests()
    {
        SampleModel.Write(_folder);
        _folder.Write("task.yaml", Task);
        _folder.Write("text.yaml", "kind: perplexity\nwindow: 8");
        _folder.Write("text.txt", "abcabcabcaabbccaacbbabcabc");
        _folder.Write("data.jsonl", Data);
        _folder.Write("other.jsonl", "{\"q\":\"bb\",\"a\":\"a\"}\n{\"q\":\"cb\",\"a\":\"ab\"}\n");
        _folder.Write("compare.yaml", Config);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_method_is_planned_tuned_trained_and_judged_and_the_answer_is_one_document()
    {
        var run = Compare("--json");
        run.ExitCode.ShouldBe(0, run.Error);
        var result = Parsed(run.Output);
        result.IsComplete.ShouldBeTrue();
        result.TrainingRows.ShouldBe(4);
        result.Figures.Select(f => (f.Label, f.HigherIsBetter, f.IsOldKnowledge)).ShouldBe([("recall", true, false), ("old text", false, true)]);
        result.Before!.Count.ShouldBe(2);
        var (lora, sparse, large) = (result.Methods[0], result.Methods[1], result.Methods[2]);

        lora.Grid.Select(point => point.LearningRate).ShouldBe([0.001, 0.1]);
        lora.LearningRate.ShouldBe(lora.Grid[1].Score > lora.Grid[0].Score ? 0.1 : 0.001);
        (sparse.LearningRate, sparse.Grid.Count).ShouldBe((0.02, 0));
        foreach (var method in new[] { lora, sparse })
        {
            method.Figures!.Select(f => f.PerSeed.Count).ShouldBe([2, 2]);
            method.Figures![0].Value.ShouldBe(method.Figures[0].PerSeed.Average(), 1e-12);
            method.Cost!.Steps.ShouldBe(40);
            method.Cost.StepSeconds.ShouldBePositive();
        }
        // The same rows: of every one its tokens, twenty times.
        (sparse.Cost!.Tokens, sparse.Cost.TrainedTokens).ShouldBe((lora.Cost!.Tokens, lora.Cost.TrainedTokens));
        sparse.Figures![0].Value.ShouldBeGreaterThan(result.Before[0].Value);
        sparse.Figures[0].ToReference!.Value.ShouldBe(sparse.Figures[0].Value - lora.Figures![0].Value, 1e-12);
        lora.Figures[0].ToReference.ShouldBeNull();
        sparse.DeadExperts.Select(l => l.Layer).ShouldBe([0, 1]);
        lora.DeadExperts.ShouldBeEmpty();

        large.DoesNotFit.ShouldNotBeNull().ShouldContain("budget.device is 1 MiB");
        (large.Figures, large.Cost, large.LearningRate).ShouldBe((null, null, null));
        large.PlannedDeviceBytes.ShouldBeGreaterThan(1 << 20);

        File.ReadAllText(_folder.File("out/compare.json")).Trim().ShouldBe(run.Output.Trim());
        Directory.Exists(_folder.File("out/methods/sparse/seed-1/run/adapter")).ShouldBeFalse("adapters go when they have been judged");
        File.Exists(_folder.File("out/methods/sparse/seed-1/run/metrics.jsonl")).ShouldBeTrue();
    }

    [Fact]
    public void What_was_interrupted_goes_on_and_comes_to_the_same()
    {
        var whole = Parsed(Compare("--json", "--set", "output=whole").Output);

        // Cut short again and again, wherever the time falls: all that is done stays done.
        ProgramRun run;
        var cuts = 0;
        do
        {
            using var stop = new CancellationTokenSource();
            if (cuts < 12) stop.CancelAfter(TimeSpan.FromMilliseconds(150 + 90 * cuts));
            run = ProgramRun.OfInterruptible(VerbList.Create(), ["compare", _folder.File("compare.yaml"), "--json"], stop.Token);
            if (run.ExitCode != 0) run.Error.ShouldContain("stopped");
            cuts++;
        }
        while (run.ExitCode != 0 && cuts < 20);
        run.ExitCode.ShouldBe(0, run.Error);
        var parts = Parsed(run.Output);
        foreach (var (one, other) in whole.Methods.Zip(parts.Methods))
        {
            other.LearningRate.ShouldBe(one.LearningRate);
            other.Figures?.SelectMany(f => f.PerSeed).ShouldBe(one.Figures!.SelectMany(f => f.PerSeed));
            (other.Cost?.Tokens, other.Cost?.LastLoss).ShouldBe((one.Cost?.Tokens, one.Cost?.LastLoss));
        }
    }

    [Fact]
    public void What_is_done_is_not_done_again_unless_it_is_of_other_rows()
    {
        Compare().ExitCode.ShouldBe(0);
        var cells = Directory.GetFiles(_folder.File("out"), "cell.json", SearchOption.AllDirectories);
        var times = cells.ToDictionary(file => file, File.GetLastWriteTimeUtc);
        Compare("--set", "seeds=[0, 1, 2]").ExitCode.ShouldBe(0);
        cells.ShouldAllBe(file => File.GetLastWriteTimeUtc(file) == times[file]);
        Directory.GetFiles(_folder.File("out"), "cell.json", SearchOption.AllDirectories).Length.ShouldBe(cells.Length + 2);

        _folder.Write("data.jsonl", Data.Replace("\"a\":\"cc\"", "\"a\":\"ca\"", StringComparison.Ordinal));
        var again = Compare();
        again.ExitCode.ShouldBe(0, again.Error);
        again.Error.ShouldContain("what is there was made with other data or settings");
        // The rates were tried on rows of their own, which have not changed.
        foreach (var file in cells) (File.GetLastWriteTimeUtc(file) > times[file]).ShouldBe(!file.Contains("rate-", StringComparison.Ordinal), file);
    }

    [Fact]
    public void A_rate_that_ruins_the_numbers_is_a_result_and_no_end()
    {
        var run = Compare("--json", "--set", "grid.learning_rates=[0.01, 1e30]", "--set", "grid.seeds=[0, 1]", "--set", "seeds=[0]");
        run.ExitCode.ShouldBe(0, run.Error);
        var lora = Parsed(run.Output).Methods[0];
        lora.Grid[1].Score.ShouldBeNull();
        lora.Grid[1].Failure.ShouldNotBeNull().ShouldContain("not finite");
        lora.LearningRate.ShouldBe(0.01);
        lora.Figures.ShouldNotBeNull();
        var folder = _folder.File($"out/methods/{lora.Id}");
        Directory.GetDirectories(folder, "rate-*").Select(Path.GetFileName).Order().Take(2).ShouldBe(["rate-0.01", "rate-0.01-seed-1"]);
        Directory.GetDirectories(folder, "rate-1*").Length.ShouldBe(1); // one failure is enough
    }

    [Fact]
    public void A_rate_that_is_better_by_chance_alone_is_not_taken_and_one_that_is_clearly_better_is()
    {
        Compare("--set", "seeds=[0]").ExitCode.ShouldBe(0);
        Write("rate-0.1", 1, 1);
        Write("rate-0.001", 1, 0);
        Lora().LearningRate.ShouldBe(0.001);
        Write("rate-0.001", 0, 0);
        var lora = Lora();
        lora.LearningRate.ShouldBe(0.1);
        lora.Grid.Select(point => point.Score).ShouldBe([0, 1]);

        MethodResult Lora() => Parsed(Compare("--json", "--set", "seeds=[0]").Output).Methods[0];

        void Write(string rate, params double[] right)
        {
            var path = _folder.File($"out/methods/small-lora/{rate}/cell.json");
            var cell = JsonNode.Parse(File.ReadAllText(path))!;
            cell["figures"]![0]!["above"] = new JsonArray([.. right.Select(number => (JsonNode)number)]);
            File.WriteAllText(path, cell.ToJsonString());
        }
    }

    [Fact]
    public void A_dry_run_plans_and_trains_nothing()
    {
        var run = Compare("--dry-run", "--json");
        run.ExitCode.ShouldBe(0, run.Error);
        Parsed(run.Output).Methods[2].DoesNotFit.ShouldNotBeNull();
        Directory.Exists(_folder.File("out/methods")).ShouldBeFalse();
    }

    [Fact]
    public void Methods_that_would_not_be_trained_alike_are_refused()
    {
        _folder.Write("compare.yaml", Config.Replace("optimizer: {learning_rate: 0.02}", "optimizer: {learning_rate: 0.02}, batch: {size: 4}", StringComparison.Ordinal));
        var run = Compare();
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.Error.ShouldContain("'small LoRA' and 'sparse' differ in batch");
        Directory.Exists(_folder.File("out")).ShouldBeFalse();
    }

    [Fact]
    public void A_folder_that_another_process_is_at_work_in_is_refused()
    {
        using var held = Meft.Training.Runs.RunLock.Take(_folder.File("out"));
        var run = Compare();
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("another process is at work");
    }

    private static ComparisonResult Parsed(string json) => ComparisonResult.Parse(json, "standard output");

    private ProgramRun Compare(params string[] arguments) => ProgramRun.Of(["compare", _folder.File("compare.yaml"), .. arguments]);
}
