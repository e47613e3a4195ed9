using System.Text.Json;
using Meft.Cli.Verbs;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class TrainVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(Meft)]
    [InlineData("method: {rank: 32, experts: 8, probe: 2, top_k: 8, layers: every:2}")]
    [InlineData("method: {kind: parallel, rank: 32}")]
    [InlineData("method: {kind: lora}")]
    [InlineData("method: {kind: lora, rank: 4, alpha: 6, targets: all-linear, rslora: true, layers: last:1, rank_pattern: {down_proj: 2}}")]
    [InlineData(@"method: {kind: lora, targets: '.*\.mlp\..*', dropout: 0.1, alpha_pattern: {'0\.mlp\.up_proj': 8}}")]
    public void A_run_teaches_an_adapter_that_score_can_use(string method)
    {
        var config = Config(method);
        var run = Train(config);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("validation loss");
        run.Error.ShouldNotContain("\u001b");
        foreach (var name in new[] { "config.yaml", "manifest.json", "metrics.jsonl", "result.json", "adapter/adapter_model.safetensors", "adapter/adapter_config.json" })
            File.Exists(_folder.File("run/" + name)).ShouldBeTrue(name);
        File.ReadAllLines(_folder.File("run/metrics.jsonl")).Length.ShouldBe(30);

        using var result = JsonDocument.Parse(File.ReadAllText(_folder.File("run/result.json")));
        var before = result.RootElement.GetProperty("start_validation_loss").GetDouble();
        var after = result.RootElement.GetProperty("end_validation_loss").GetDouble();
        after.ShouldBeLessThan(0.8 * before);

        var score = ProgramRun.Of(
            "score", "--model", _folder.File("model"), "--adapter", _folder.File("run/adapter"), "--input", _folder.File("rows.jsonl"), "--json");
        score.ExitCode.ShouldBe(0, score.Error);
        using var summary = JsonDocument.Parse(score.Output);
        summary.RootElement.GetProperty("mean_nll").GetDouble().ShouldBe(after, 1e-3);
        if (!method.Contains("lora", StringComparison.Ordinal)) return;

        var merge = ProgramRun.Of("merge", "--model", _folder.File("model"), "--adapter", _folder.File("run/adapter"), "--output", _folder.File("merged"));
        merge.ExitCode.ShouldBe(0, merge.Error);
        var scoreOfMerged = ProgramRun.Of("score", "--model", _folder.File("merged"), "--input", _folder.File("rows.jsonl"), "--json");
        scoreOfMerged.ExitCode.ShouldBe(0, scoreOfMerged.Error);
        using var summaryOfMerged = JsonDocument.Parse(scoreOfMerged.Output);
        summaryOfMerged.RootElement.GetProperty("mean_nll").GetDouble().ShouldBe(after, 1e-3);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("int8")]
    public void A_base_of_float16_trains_and_a_resumed_run_gives_the_same_bits(string quantize)
    {
        var config = Config(Meft);
        var run = Train(config, "--set", "dtype=fp16", "--set", $"quantize={quantize}");
        run.ExitCode.ShouldBe(0, run.Error);
        (run.Output + run.Error).ShouldContain("float16");
        using var result = JsonDocument.Parse(File.ReadAllText(_folder.File("run/result.json")));
        result.RootElement.GetProperty("end_validation_loss").GetDouble().ShouldBeLessThan(0.8 * result.RootElement.GetProperty("start_validation_loss").GetDouble());

        var proof = ProgramRun.Of("verify-resume", _folder.File("run"), "--steps", "6");
        proof.ExitCode.ShouldBe(0, proof.Error);
    }

    [Fact]
    public void Rows_are_packed_and_files_weighted_and_the_weights_are_part_of_the_run()
    {
        var config = Config(Meft);
        string[] mixed = ["--set", "data.packing=true", "--set", "data.train=[{file: rows.jsonl, weight: 2.5}]", "--set", "epochs=2"];
        var run = Train(config, mixed);
        run.ExitCode.ShouldBe(0, run.Error);
        // Each row twice an epoch, and one half of them once more, then the other half: five times in two epochs.
        var steps = File.ReadAllLines(_folder.File("run/metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        steps.Sum(s => s.GetProperty("tokens").GetInt32()).ShouldBe(5 * TokensOfRows());
        steps[^1].GetProperty("epoch").GetDouble().ShouldBe(2);
        steps.Count.ShouldBeLessThan(10);

        var other = Train(config, [.. mixed, "--resume", "--set", "data.train=[{file: rows.jsonl, weight: 2}]"]);
        other.ExitCode.ShouldBe(2);
        other.Error.ShouldContain("weight: 2}");
        Train(config, [.. mixed, "--resume"]).ExitCode.ShouldBe(0);
        ProgramRun.Of("plan", config, "--set", "data.packing=true").ExitCode.ShouldBe(0);

        int TokensOfRows()
        {
            var tokenized = ProgramRun.Of("tokenize", "--model", _folder.File("model"), "--input", _folder.File("rows.jsonl"), "--output", _folder.File("tokens.jsonl"));
            tokenized.ExitCode.ShouldBe(0, tokenized.Error);
            return File.ReadAllLines(_folder.File("tokens.jsonl")).Sum(l => JsonDocument.Parse(l).RootElement.GetProperty("input_ids").GetArrayLength());
        }
    }

    [Fact]
    public void A_fine_tuned_base_is_a_model_folder_of_its_own()
    {
        var run = Train(Config("method: {kind: full}"), "--set", "optimizer.learning_rate=1e-2");
        run.ExitCode.ShouldBe(0, run.Error);
        var generated = ProgramRun.Of("generate", "--model", _folder.File("run/model"), "--prompt", "ab", "--max-new-tokens", "3");
        generated.ExitCode.ShouldBe(0, generated.Error);
    }

    [Theory]
    [InlineData("int8", "meft, rank: 32, top_k: 8, experts: 8, probe: 2")]
    [InlineData("nf4", "lora")]
    [InlineData("nf4", "parallel, rank: 32")]
    public void An_adapter_that_was_trained_on_a_quantised_base_loads_on_any_form_of_it(string form, string kind)
    {
        var run = Train(Config($"method: {{kind: {kind}}}"), "--set", $"quantize={form}");
        run.ExitCode.ShouldBe(0, run.Error);
        foreach (var other in new[] { "none", "int8", "nf4" })
        {
            var scored = ProgramRun.Of(
                "score", "--model", _folder.File("model"), "--adapter", _folder.File("run/adapter"), "--quantize", other, "--input", _folder.File("rows.jsonl"));
            scored.ExitCode.ShouldBe(0, scored.Error);
        }
        var resumed = Train(_folder.File("run/config.yaml"), "--resume", "--set", "quantize=none");
        resumed.ExitCode.ShouldBe(2);
        resumed.Error.ShouldContain($"quantize was {form} when the run began and is none now");
    }

    [Fact]
    public void An_adapter_can_be_the_start_of_another_run()
    {
        var config = Config(Meft);
        Train(config).ExitCode.ShouldBe(0);
        var second = Train(config, "--set", $"output={_folder.File("second")}", "--set", $"method.init={_folder.File("run/adapter")}", "--set", "max_steps=1");
        second.ExitCode.ShouldBe(0, second.Error);
        double Loss(string name, string key)
        {
            using var result = JsonDocument.Parse(File.ReadAllText(_folder.File(name)));
            return result.RootElement.GetProperty(key).GetDouble();
        }
        Loss("second/result.json", "start_validation_loss").ShouldBe(Loss("run/result.json", "end_validation_loss"), 1e-6);
    }

    [Theory]
    [InlineData("every:2", 0)]
    [InlineData("[1]", 0)] // the same layers in other words
    [InlineData("all", 2)]
    public void An_adapter_of_every_other_layer_is_the_start_of_a_run_in_the_same_layers(string layers, int exitCode)
    {
        var config = Config("method: {kind: meft, rank: 64, top_k: 8, experts: 8, probe: 4, layers: \"every:2\"}");
        Train(config).ExitCode.ShouldBe(0);
        var second = Train(
            config, "--set", $"output={_folder.File("second")}", "--set", $"method.init={_folder.File("run/adapter")}", "--set", $"method.layers={layers}", "--set", "max_steps=1");
        second.ExitCode.ShouldBe(exitCode, second.Error);
        if (exitCode != 0) second.Error.ShouldContain("layers");
    }

    [Fact]
    public void An_output_that_exists_is_refused_resumed_or_overwritten_as_asked()
    {
        var config = Config(Meft);
        Train(config).ExitCode.ShouldBe(0);
        var adapter = File.ReadAllBytes(_folder.File("run/adapter/adapter_model.safetensors"));

        var refused = Train(config);
        refused.ExitCode.ShouldBe(2);
        refused.Error.ShouldContain("--resume");
        refused.ErrorLines.Count(l => l.StartsWith("error:", StringComparison.Ordinal)).ShouldBe(1);
        File.ReadAllBytes(_folder.File("run/adapter/adapter_model.safetensors")).ShouldBe(adapter);

        var other = Train(config, "--resume", "--set", "optimizer.learning_rate=0.5");
        other.ExitCode.ShouldBe(2);
        other.Error.ShouldContain("0.5");

        Train(config, "--resume").ExitCode.ShouldBe(0);
        Train(config, "--overwrite").ExitCode.ShouldBe(0);
        File.ReadAllBytes(_folder.File("run/adapter/adapter_model.safetensors")).ShouldBe(adapter);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("method.alpha=32", "scale of model.layers.0.self_attn.q_proj is 2, wanted is 4")]
    [InlineData("method.rank=4", "rank of model.layers.0.self_attn.q_proj is 8, wanted is 4")]
    [InlineData("method.layers=[1]", "its maps is model.layers.0.self_attn.q_proj")]
    public void A_LoRA_adapter_can_be_the_start_of_another_run_that_adapts_the_same(string set, string problem)
    {
        var config = Config("method: {kind: lora}");
        Train(config).ExitCode.ShouldBe(0);
        string[] more = set.Length == 0 ? [] : ["--set", set];
        var second = Train(
            config, ["--set", $"output={_folder.File("second")}", "--set", $"method.init={_folder.File("run/adapter")}", "--set", "max_steps=1", .. more]);
        second.ExitCode.ShouldBe(problem.Length == 0 ? 0 : 2, second.Error);
        second.Error.ReplaceLineEndings(" ").ShouldContain(problem);
    }

    [Fact]
    public void Dropout_follows_the_seed_and_leaves_validation_alone()
    {
        var config = Config("method: {kind: lora, dropout: 0.4}");
        string[] Losses(string output, params string[] more)
        {
            var run = Train(config, ["--set", $"output={_folder.File(output)}", "--set", "max_steps=4", .. more]);
            run.ExitCode.ShouldBe(0, run.Error);
            return [.. File.ReadAllLines(_folder.File(output + "/metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("loss").GetRawText())];
        }
        var losses = Losses("a");
        Losses("b").ShouldBe(losses);
        // With B = 0 the first step's loss is the base's whatever is dropped; afterwards it is not.
        var without = Losses("c", "--set", "method.dropout=0");
        without[0].ShouldBe(losses[0]);
        without[^1].ShouldNotBe(losses[^1]);

        using var result = JsonDocument.Parse(File.ReadAllText(_folder.File("a/result.json")));
        var score = ProgramRun.Of(
            "score", "--model", _folder.File("model"), "--adapter", _folder.File("a/adapter"), "--input", _folder.File("rows.jsonl"), "--json");
        using var summary = JsonDocument.Parse(score.Output);
        summary.RootElement.GetProperty("mean_nll").GetDouble().ShouldBe(result.RootElement.GetProperty("end_validation_loss").GetDouble(), 1e-5);
    }

    [Theory]
    [InlineData("precious.txt")]
    [InlineData("config.yaml")]
    public void A_folder_that_is_no_run_is_never_touched(string file)
    {
        _folder.Write("run/" + file, "x");
        Train(Config(Meft), "--overwrite").ExitCode.ShouldBe(2);
        File.ReadAllText(_folder.File("run/" + file)).ShouldBe("x");
    }

    [Fact]
    public void Overwriting_removes_what_a_run_wrote_and_nothing_else()
    {
        var config = Config(Meft);
        Train(config, "--overwrite").ExitCode.ShouldBe(0); // nothing to overwrite yet
        _folder.Write("run/notes.txt", "mine");
        Train(config, "--overwrite").ExitCode.ShouldBe(0);
        File.ReadAllText(_folder.File("run/notes.txt")).ShouldBe("mine");

        File.Copy(_folder.File("rows.jsonl"), _folder.File("run/rows.jsonl"));
        var refused = Train(config, "--overwrite", "--set", "data.train=run/rows.jsonl");
        refused.ExitCode.ShouldBe(2);
        refused.Error.ShouldContain("rows.jsonl");
        File.Exists(_folder.File("run/adapter/adapter_model.safetensors")).ShouldBeTrue();
    }

    [Fact]
    public void A_run_goes_on_only_with_the_files_it_began_with()
    {
        var config = Config(Meft);
        Train(config).ExitCode.ShouldBe(0);
        var manifest = File.ReadAllText(_folder.File("run/manifest.json"));
        File.AppendAllText(_folder.File("rows.jsonl"), "{\"prompt\":\"ab\",\"completion\":\"c\"}\n");
        var changed = Train(config, "--resume");
        changed.ExitCode.ShouldBe(2);
        changed.Error.ShouldContain("rows.jsonl");
        File.ReadAllText(_folder.File("run/manifest.json")).ShouldBe(manifest);
    }

    [Fact]
    public void A_finished_run_stays_as_it_is_even_when_moved_and_resumed_by_its_own_config()
    {
        Train(Config(Meft)).ExitCode.ShouldBe(0);
        Directory.Move(_folder.File("run"), _folder.File("moved"));
        var result = File.ReadAllText(_folder.File("moved/result.json"));
        var again = Train(_folder.File("moved/config.yaml"), "--resume", "--set", $"output={_folder.File("moved")}");
        again.ExitCode.ShouldBe(0, again.Error);
        again.Output.ShouldContain("nothing was done");
        File.ReadAllText(_folder.File("moved/result.json")).ShouldBe(result);
    }

    [Fact]
    public void An_adapter_of_another_gate_is_no_start()
    {
        var config = Config(Meft);
        Train(config).ExitCode.ShouldBe(0);
        var other = Train(
            config, "--set", $"output={_folder.File("second")}", "--set", $"method.init={_folder.File("run/adapter")}", "--set", "method.gate=softmax");
        other.ExitCode.ShouldBe(2);
        other.Error.ShouldContain("gate is Linear");
        Directory.Exists(_folder.File("second")).ShouldBeFalse();
    }

    [Theory]
    [InlineData(Meft, "adapter/adapter_model.safetensors")]
    [InlineData("method: {kind: meft, rank: 64, top_k: 8, experts: 8, probe: 4, layers: \"every:2\"}", "adapter/adapter_model.safetensors")]
    [InlineData("method: {kind: parallel, rank: 32}", "adapter/adapter_model.safetensors")]
    [InlineData("method: {kind: lora, dropout: 0.2}", "adapter/adapter_model.safetensors")]
    [InlineData("method: {kind: full}", "model/model.safetensors")]
    public void An_interrupted_run_saves_says_so_and_can_be_resumed_to_the_same_bits(string method, string file)
    {
        var config = Config(method);
        Train(config).ExitCode.ShouldBe(0);
        var straight = File.ReadAllBytes(_folder.File("run/" + file));

        using var stop = new CancellationTokenSource();
        var verb = new TrainVerb { AfterStep = step => { if (step == 11) stop.Cancel(); } };
        string[] output = ["--set", $"output={_folder.File("stopped")}"];
        var interrupted = ProgramRun.OfInterruptible([verb], ["train", config, .. output], stop.Token);
        interrupted.ExitCode.ShouldBe(1);
        interrupted.Error.ShouldContain("stopped after step 11 of 30");
        interrupted.Error.ShouldContain("--resume");
        File.Exists(_folder.File("stopped/" + file)).ShouldBeFalse();

        var resumed = Train(config, [.. output, "--resume"]);
        resumed.ExitCode.ShouldBe(0, resumed.Error);
        resumed.Error.ShouldContain("resumed after step 11");
        File.ReadAllBytes(_folder.File("stopped/" + file)).ShouldBe(straight);
    }

    [Fact]
    public void A_dry_run_checks_everything_and_writes_nothing()
    {
        var run = Train(Config(Meft), "--dry-run");
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("30 steps");
        run.Output.ShouldContain("memory at its peak");
        Directory.Exists(_folder.File("run")).ShouldBeFalse();

        _folder.Write("run/something.txt", "x");
        Train(Config(Meft), "--dry-run").ExitCode.ShouldBe(0);
    }

    [Theory]
    [InlineData("budget.host=1MiB", "budget.host is 1 MiB")]
    [InlineData("budget.device=1KiB", "budget.device is 1 KiB")]
    public void A_run_that_does_not_fit_is_refused_with_the_numbers_before_it_begins(string set, string named)
    {
        var run = Train(Config(Meft), "--set", set);
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("the run does not fit");
        run.Error.ShouldContain(named);
        run.Error.ShouldContain("plan "); // shown first
        Directory.Exists(_folder.File("run")).ShouldBeFalse();
    }

    [Theory]
    [InlineData(Meft)]
    [InlineData("method: {kind: parallel, rank: 32}")]
    [InlineData("method: {kind: full}")]
    public void The_result_holds_what_was_predicted_beside_what_was_measured(string method)
    {
        var run = Train(Config(method));
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("predicted");
        using var result = JsonDocument.Parse(File.ReadAllText(_folder.File("run/result.json")));
        var predicted = result.RootElement.GetProperty("predicted");
        var device = (double)result.RootElement.GetProperty("device_bytes_peak").GetInt64();
        (predicted.GetProperty("device_bytes_peak").GetInt64() / device).ShouldBe(1, 0.1);
        predicted.GetProperty("peak_resident_bytes").GetInt64().ShouldBeGreaterThan(0);
        result.RootElement.GetProperty("step_seconds").GetDouble().ShouldBeGreaterThan(0);
        predicted.GetProperty("step_seconds").GetDouble().ShouldBeGreaterThan(0);
        var report = File.ReadAllText(_folder.File("run/report.html"));
        report.ShouldContain("Memory against the plan");
        report.ShouldContain("<polyline");
        report.ShouldContain("base weights");
        report.ShouldNotContain("http"); // nothing outside of the file
    }

    [Theory]
    [InlineData("data.train=missing.jsonl", "missing.jsonl")]
    [InlineData("model=modle", "model")]
    [InlineData("method.layers=last:9", "9")]
    [InlineData("method.rnak=3", "rank")]
    [InlineData("data.max_length=2", "longer than")]
    [InlineData("method.init=nowhere", "nowhere")]
    public void Wrong_input_is_one_paragraph_with_exit_code_2_and_no_run(string set, string named)
    {
        var run = Train(Config(Meft), "--set", set);
        run.ExitCode.ShouldBe(2, run.Error);
        run.Error.ShouldContain(named);
        run.Error.ShouldNotContain("   at ");
        Directory.Exists(_folder.File("run")).ShouldBeFalse();
    }

    [Fact]
    public void All_that_a_run_reads_and_that_is_not_there_is_told_at_once_before_anything_is_loaded()
    {
        var run = Train(Config(Meft), "--set", "data.train=rows.jsonk", "--set", "data.validation=[rows.jsonl, other.jsonl, third.jsonl]", "--set", "model=modle");
        run.ExitCode.ShouldBe(2, run.Error);
        run.Output.ShouldBeEmpty();
        var error = run.Error.ReplaceLineEndings(" ");
        error.ShouldContain("rows.jsonk does not exist (the nearest path is");
        error.ShouldContain("other.jsonl does not exist");
        error.ShouldContain("third.jsonl does not exist");
        error.ShouldContain("modle does not exist");
    }

    [Theory]
    [InlineData("[q_proj, w_proj]", "'w_proj'")]
    [InlineData("'mlp.*'", "mlp.* match no linear map")]
    [InlineData("'.*'", "include lm_head")]
    public void Targets_that_the_model_does_not_have_are_refused_with_those_it_has(string targets, string named)
    {
        var run = Train(Config($"method: {{kind: lora, targets: {targets}}}"));
        run.ExitCode.ShouldBe(2, run.Error);
        run.Error.ReplaceLineEndings(" ").ShouldContain(named);
        Directory.Exists(_folder.File("run")).ShouldBeFalse();
    }

    [Fact]
    public void A_row_with_nothing_to_train_on_is_named_by_its_line()
    {
        var config = Config(Meft);
        File.AppendAllText(_folder.File("rows.jsonl"), "{\"prompt\":\"ab\",\"completion\":\"\"}\n");
        var run = Train(config);
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("rows.jsonl:5");
    }

    public void Dispose() => _folder.Dispose();

    private const string Meft = "method: {kind: meft, rank: 32, top_k: 8, experts: 8, probe: 2}";

    private static ProgramRun Train(string config, params string[] more) => ProgramRun.Of(["train", config, .. more]);

    private string Config(string method)
    {
        if (!Directory.Exists(_folder.File("model"))) SampleModel.Write(_folder);
        var rows = string.Concat(new[] { "ab", "ba", "ca", "bc" }.Select((p, i) => $"{{\"prompt\":\"{p}\",\"completion\":\"{"abca"[i]}c\"}}\n"));
        _folder.Write("rows.jsonl", rows);
        return _folder.Write("config.yaml", $$"""
            model: model
            output: run
            {{method}}
            optimizer: {learning_rate: 5e-2}
            data: {train: rows.jsonl, validation: rows.jsonl, max_length: 12}
            batch: {size: 2}
            max_steps: 30
            """);
    }
}
