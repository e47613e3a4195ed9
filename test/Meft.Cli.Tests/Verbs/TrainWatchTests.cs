using System.Text.Json;
using Meft.Cli.Verbs;
using Meft.TestSupport;
using Meft.Training.Samples;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

/// <summary>What a run measures and watches on the way: samples, early stopping, failures that leave their rows.</summary>
public sealed class TrainWatchTests : IDisposable
{
    private const string Sampling = "{every: 10, samples: 2, prompts: ['ca', 'b'], max_new_tokens: 5}";
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Samples_show_what_was_learned_and_change_nothing()
    {
        var run = Train(Sampling);
        run.ExitCode.ShouldBe(0, run.Error);
        var samples = SampleFile.ReadAll(_folder.File("run/samples.jsonl"));
        samples.Select(s => (s.Step, s.Index)).ShouldBe(new[] { 0, 10, 20, 30 }.SelectMany(step => Enumerable.Range(0, 4).Select(i => (step, i))));
        samples.Take(4).Select(s => s.Prompt).ShouldBe(["ab", "b a", "ca", "b"]); // the tokenizer's decoder puts spaces between tokens
        samples.Take(4).Select(s => s.Expected).ShouldBe([" a c", " b c", null, null]);
        samples.Take(4).ShouldAllBe(s => s.Text == s.Base); // the adapter begins as nothing
        samples.ShouldAllBe(s => s.Base == samples[s.Index].Base);
        samples.Skip(12).Take(2).Select(s => s.Text).ShouldBe([" a c", " b c"]);
        run.Error.ShouldContain("samples after step 30 (");
        run.Error.ShouldContain("expected  a c");
        run.Error.ShouldContain("trained   a c");
        run.Error.ShouldContain($"base      {samples[0].Base!.Trim()}");
        using (var line = JsonDocument.Parse(File.ReadLines(_folder.File("run/samples.jsonl")).First()))
            line.RootElement.EnumerateObject().Select(p => p.Name).ShouldBe(["step", "index", "prompt", "text", "expected", "base"]);

        Train("{every: 10}", "output=plain").ExitCode.ShouldBe(0);
        File.Exists(_folder.File("plain/samples.jsonl")).ShouldBeFalse();
        Adapter("run").ShouldBe(Adapter("plain"));
        Losses("run").ShouldBe(Losses("plain"));
    }

    [Theory]
    [InlineData("method: {kind: meft, rank: 32, top_k: 8, experts: 8, probe: 2}")]
    [InlineData("method: {kind: full}")]
    public void A_resumed_run_has_the_samples_of_a_straight_one(string method)
    {
        Train(Sampling, method).ExitCode.ShouldBe(0);
        using var stop = new CancellationTokenSource();
        var verb = new TrainVerb { AfterStep = step => { if (step == 11) stop.Cancel(); } };
        string[] output = ["--set", $"output={_folder.File("stopped")}"];
        ProgramRun.OfInterruptible([verb], ["train", _folder.File("config.yaml"), .. output], stop.Token).ExitCode.ShouldBe(1);
        // A part that was cut short had got further than its checkpoint.
        File.AppendAllText(_folder.File("stopped/samples.jsonl"), """{"step":20,"index":0,"prompt":"ab","text":"never","expected":"ac","base":"x"}""" + "\n{\"st");
        ProgramRun.Of(["train", _folder.File("config.yaml"), .. output, "--resume"]).ExitCode.ShouldBe(0);
        File.ReadAllText(_folder.File("stopped/samples.jsonl")).ShouldBe(File.ReadAllText(_folder.File("run/samples.jsonl")));
    }

    [Fact]
    public void Texts_without_a_prompt_are_continued_from_their_first_half()
    {
        _folder.Write("texts.jsonl", "{\"text\":\"abcabcabca\"}\n{\"text\":\"cc\"}\n");
        var run = Train("{every: 30, samples: 2, max_new_tokens: 3}", $"data.validation={_folder.File("texts.jsonl")}");
        run.ExitCode.ShouldBe(0, run.Error);
        var samples = SampleFile.ReadAll(_folder.File("run/samples.jsonl"));
        samples.Take(2).Select(s => s.Prompt + "|" + s.Expected).ShouldBe(["ab c ab c| ab c a", "c| c"]);
        samples.ShouldAllBe(s => s.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length <= 3);
    }

    [Fact]
    public void A_run_that_gets_no_better_stops_and_its_best_state_is_the_result()
    {
        var run = Train("{every: 1, patience: 2, keep_best: true}", Worsening(), "max_steps=60");
        run.ExitCode.ShouldBe(0, run.Error);
        using var json = JsonDocument.Parse(File.ReadAllText(_folder.File("run/result.json")));
        var result = json.RootElement;
        result.GetProperty("stopped_early").GetBoolean().ShouldBeTrue();
        var (steps, best) = (result.GetProperty("steps").GetInt32(), result.GetProperty("best_validation_step").GetInt32());
        steps.ShouldBe(best + 2);
        result.GetProperty("result_step").GetInt32().ShouldBe(best);
        run.Error.ShouldContain($"stopped after step {steps} of 60");
        run.Output.ShouldContain($"after step {best}; the result is that state");

        var score = ProgramRun.Of(
            "score", "--model", _folder.File("model"), "--adapter", _folder.File("run/adapter"), "--input", _folder.File("others.jsonl"), "--json");
        using var summary = JsonDocument.Parse(score.Output);
        var measured = summary.RootElement.GetProperty("mean_nll").GetDouble();
        measured.ShouldBe(result.GetProperty("best_validation_loss").GetDouble(), 1e-5);
        measured.ShouldBeLessThan(result.GetProperty("end_validation_loss").GetDouble());

        var again = ProgramRun.Of(["train", _folder.File("run/config.yaml"), "--resume"]);
        again.ExitCode.ShouldBe(0, again.Error);
        again.Output.ShouldContain("nothing was done");
        // With more patience there is something left to do, and the best state may be a later one.
        var further = ProgramRun.Of(["train", _folder.File("run/config.yaml"), "--resume", "--set", "evaluate.patience=4"]);
        further.ExitCode.ShouldBe(0, further.Error);
        further.Error.ShouldContain($"resumed after step {steps}");
    }

    [Fact]
    public void The_rows_of_a_step_that_was_not_finite_can_be_scored()
    {
        var run = Train("{every: 0}", "method: {kind: full}", "optimizer.learning_rate=1e30", "schedule.kind=constant");
        run.ExitCode.ShouldBe(1);
        run.ErrorLines.Count(l => l.StartsWith("error:", StringComparison.Ordinal)).ShouldBe(1);
        var failure = Directory.GetDirectories(_folder.File("run/failures")).ShouldHaveSingleItem();
        run.Error.ReplaceLineEndings(" ").ShouldContain(Path.GetFileName(failure));
        var score = ProgramRun.Of("score", "--model", _folder.File("model"), "--input", Path.Combine(failure, "rows.jsonl"));
        score.ExitCode.ShouldBe(0, score.Error);
        score.Output.ShouldContain("2");

        Train("{every: 0}", "output=run", "max_steps=1").ExitCode.ShouldBe(2); // a run is there
        ProgramRun.Of(["train", _folder.File("config.yaml"), "--overwrite"]).ExitCode.ShouldBe(0);
        Directory.Exists(_folder.File("run/failures")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("{every: 10}", "check_worst_batch=on", true)]
    [InlineData("{every: 10}", "check_worst_batch=auto", false)] // it comes within the first steps
    public void The_largest_micro_batch_is_tried_and_compared_with_the_plan(string evaluate, string set, bool tried)
    {
        var run = Train(evaluate, set);
        run.ExitCode.ShouldBe(0, run.Error);
        var line = run.ErrorLines.SingleOrDefault(l => l.StartsWith("step 0:", StringComparison.Ordinal));
        (line is not null).ShouldBe(tried);
        if (tried) line!.ShouldMatch(@"^step 0: the largest micro-batch \(of step \d: 2 rows, 10 tokens\) fits; .* s, device .* MiB \(plan .* MiB\), process .* MiB \(plan .* MiB.*\) at its peak$");
    }

    [Theory]
    [InlineData("{patience: 2}", "data.validation")]
    [InlineData("{samples: 2}", "data.validation")]
    [InlineData("{keep_best: true}", "data.validation")]
    [InlineData("{max_new_tokens: 3}", "evaluate.samples or evaluate.prompts")]
    [InlineData("{min_delta: 0.1}", "evaluate.patience or evaluate.keep_best")]
    [InlineData("{prompts: ['']}", "a text")]
    public void Settings_that_need_others_are_refused_without_them(string evaluate, string named)
    {
        var run = Train(evaluate, "data.validation=null");
        run.ExitCode.ShouldBe(2);
        run.Error.ReplaceLineEndings(" ").ShouldContain(named);
        Directory.Exists(_folder.File("run")).ShouldBeFalse();
    }

    [Fact]
    public void A_prompt_that_the_model_cannot_take_is_refused_before_the_run()
    {
        var run = Train("{prompts: ['abcabcabcabcabcabcabcabcabcabcabcabc']}");
        run.ExitCode.ShouldBe(2);
        run.Error.ReplaceLineEndings(" ").ShouldContain("evaluate.prompts: the prompt has 24 tokens");
        Directory.Exists(_folder.File("run")).ShouldBeFalse();
    }

    public void Dispose() => _folder.Dispose();

    private byte[] Adapter(string run) => File.ReadAllBytes(_folder.File(run + "/adapter/adapter_model.safetensors"));

    private string[] Losses(string run) =>
        [.. File.ReadLines(_folder.File(run + "/metrics.jsonl")).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.GetProperty("loss").GetRawText();
        })];

    /// <summary>Validation rows that say the opposite of the rows to train on.</summary>
    private string Worsening()
    {
        _folder.Write("others.jsonl", string.Concat(new[] { "ab", "ba", "ca", "bc" }.Select((p, i) => $"{{\"prompt\":\"{p}\",\"completion\":\"{"bcab"[i]}b\"}}\n")));
        return $"data.validation={_folder.File("others.jsonl")}";
    }

    /// <param name="evaluate">The config's <c>evaluate</c>.</param>
    /// <param name="sets">A line <c>method: …</c> of the config, or overrides <c>key=value</c>.</param>
    private ProgramRun Train(string evaluate, params string[] sets)
    {
        if (!Directory.Exists(_folder.File("model"))) SampleModel.Write(_folder);
        _folder.Write("rows.jsonl", string.Concat(new[] { "ab", "ba", "ca", "bc" }.Select((p, i) => $"{{\"prompt\":\"{p}\",\"completion\":\"{"abca"[i]}c\"}}\n")));
        var method = sets.FirstOrDefault(s => s.StartsWith("method:", StringComparison.Ordinal)) ?? "method: {kind: meft, rank: 32, top_k: 8, experts: 8, probe: 2, layers: all}";
        var config = _folder.Write("config.yaml", $$"""
            model: model
            output: run
            {{method}}
            optimizer: {learning_rate: 5e-2}
            data: {train: rows.jsonl, validation: rows.jsonl, max_length: 12}
            batch: {size: 2}
            max_steps: 30
            evaluate: {{evaluate}}
            """);
        return ProgramRun.Of(["train", config, .. sets.Where(s => !s.StartsWith("method:", StringComparison.Ordinal)).SelectMany(s => new[] { "--set", s })]);
    }
}
