using System.Text.Json;
using Meft.Core.Errors;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Training.Runs;

public sealed class RunFolderTests : IDisposable
{
    private readonly SampleRun _sample = new();

    [Fact]
    public void Two_processes_cannot_be_at_work_on_a_run()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        using (RunLock.Take(_sample.File("run")))
        {
            foreach (var existing in new[] { ExistingRun.Resume, ExistingRun.Overwrite })
            {
                var error = Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run"), existing));
                error.Message.ShouldContain($"another process is at work on this run: process {Environment.ProcessId} on");
            }
        }
        SampleRun.Run(_sample.Config("run"), ExistingRun.Resume).Steps.ShouldBe(9);
        File.Exists(_sample.File("run/run.lock")).ShouldBeFalse();
    }

    [Fact]
    public void A_run_is_held_from_its_preparation_on()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        using (TrainingRun.Prepare(_sample.Config("run"), ExistingRun.Resume, cancellation: TestContext.Current.CancellationToken))
            Should.Throw<InvalidInputException>(() => RunLock.Take(_sample.File("run")));
        RunLock.Take(_sample.File("run")).Dispose();
    }

    [Fact]
    public void A_lock_that_a_killed_process_left_locks_nothing()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        _sample.Write("run/run.lock", "process 1 on elsewhere\n");
        SampleRun.Run(_sample.Config("run"), ExistingRun.Resume).Steps.ShouldBe(9);
    }

    [Theory]
    [InlineData("run.lock")]
    [InlineData("run.lock", "manifest.json", ".meft-abc.tmp")]
    public void A_run_that_was_killed_before_it_began_can_simply_be_started_again(params string[] left)
    {
        foreach (var name in left) _sample.Write("run/" + name, "{}");
        SampleRun.Run(_sample.Config("run")).Steps.ShouldBe(9);
        File.Exists(_sample.File("run/.meft-abc.tmp")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("run.lock", "notes.txt")]
    public void What_may_be_another_program_s_is_not(params string[] there)
    {
        foreach (var name in there) _sample.Write("run/" + name, "mine");
        Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run"))).Message.ShouldContain("not empty");
        foreach (var name in there) File.ReadAllText(_sample.File("run/" + name)).ShouldBe("mine");
    }

    [Fact]
    public void Half_written_files_of_a_killed_process_are_cleared_away()
    {
        SampleRun.Run(_sample.Config("straight"));
        SampleRun.Run(_sample.Config("run"), stopAfter: 5);
        foreach (var name in new[] { ".meft-a.tmp", "adapter/.meft-b.tmp", "checkpoints/step-000006/.meft-c.tmp" }) _sample.Write("run/" + name, "half");
        SampleRun.Run(_sample.Config("run"), ExistingRun.Resume);
        Directory.EnumerateFiles(_sample.File("run"), "*.tmp", SearchOption.AllDirectories).ShouldBeEmpty();
        _sample.ResultHash("run").ShouldBe(_sample.ResultHash("straight"));
    }

    [Fact]
    public void A_run_that_was_finished_but_for_a_leftover_loses_the_leftover()
    {
        SampleRun.Run(_sample.Config("run"));
        Directory.CreateDirectory(_sample.File("run/checkpoints/step-000003"));
        SampleRun.Run(_sample.Config("run"), ExistingRun.Resume).WasFinished.ShouldBeTrue();
        Directory.Exists(_sample.File("run/checkpoints/step-000003")).ShouldBeFalse();
    }

    [Fact]
    public void A_place_where_nothing_can_be_written_is_refused_before_anything_is_loaded()
    {
        Assert.SkipUnless(Directory.Exists("/proc"), "this system has no /proc");
        var error = Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("/proc/meft/run", SampleRun.Sparse, "model=/nowhere")));
        error.Message.ShouldContain("the output folder cannot be written: no file can be made in /proc");
    }

    [Theory]
    [InlineData("config.yaml")]
    [InlineData("manifest.json")]
    public void What_is_missing_in_a_run_is_named(string file)
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        File.Delete(_sample.File("run/" + file));
        Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run"), ExistingRun.Resume)).Message
            .ShouldContain($"there is no run to resume: {file} is missing");
    }

    [Fact]
    public void A_manifest_of_a_newer_version_is_refused()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        // A newer form may lack what this one needs.
        _sample.Write("run/manifest.json", "{\"format_version\": 2, \"inputs\": []}");
        var error = Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run"), ExistingRun.Resume));
        error.Message.ShouldContain("format version 2");
        error.Message.ShouldContain("newer");
        error.Message.ShouldContain("manifest.json");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"format_version\": \"one\"}")]
    [InlineData("{\"threads\": 2}")]
    [InlineData("{\"seed\": 0, \"device\": ")]
    public void A_manifest_that_is_none_is_refused_by_its_name(string text)
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        _sample.Write("run/manifest.json", text);
        Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run"), ExistingRun.Resume)).Message.ShouldContain("manifest.json");
    }

    [Theory]
    [InlineData("optimizer.learning_rate=0.5", "optimizer.learning_rate was 0.02 when the run began and is 0.5 now")]
    [InlineData("max_steps=12", "max_steps was 9 when the run began and is 12 now")]
    [InlineData("method.rank=128", "method.rank was 64 when the run began and is 128 now")]
    [InlineData("data.train=[rows.jsonl, validation.jsonl]", "data.train was \"file 1\" when the run began and is [\"file 1\", \"file 2\"] now")]
    [InlineData("data.shuffle=false", "data.shuffle was true when the run began and is false now")]
    public void A_setting_that_would_make_another_run_is_named_with_both_values(string set, string problem)
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        var before = _sample.Files("run");
        var error = Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run", SampleRun.Sparse, set), ExistingRun.Resume));
        error.Message.ShouldContain(problem);
        _sample.Files("run").ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public void A_setting_that_another_method_does_not_have_is_named_too()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run", "method: {kind: lora, rank: 64}"), ExistingRun.Resume)).Message
            .ShouldContain("method.top_k was 6 when the run began and is not in use now");
    }

    [Fact]
    public void All_such_settings_are_named_together()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        var error = Should.Throw<InvalidInputException>(
            () => SampleRun.Run(_sample.Config("run", SampleRun.Sparse, "seed=5", "batch.size=4"), ExistingRun.Resume));
        error.Message.ShouldContain("seed was 0");
        error.Message.ShouldContain("batch.size was 2");
    }

    [Theory]
    [InlineData("evaluate.every=1")]
    [InlineData("checkpoint.every=1", "checkpoint.keep=5")]
    [InlineData("recompute=on")]
    [InlineData("base=streamed")]
    [InlineData("budget.host=20GiB")]
    [InlineData("device=cpu")]
    public void When_something_is_written_and_where_it_is_computed_may_change(params string[] sets)
    {
        SampleRun.Run(_sample.Config("straight"));
        SampleRun.Run(_sample.Config("run"), stopAfter: 4);
        SampleRun.Run(_sample.Config("run", SampleRun.Sparse, sets), ExistingRun.Resume);
        _sample.ResultHash("run").ShouldBe(_sample.ResultHash("straight"));
    }

    [Fact]
    public void Other_threads_and_another_execution_are_remarked_and_kept_in_the_manifest()
    {
        SampleRun.Run(_sample.Config("run", SampleRun.Sparse, "method.execution=rows"), stopAfter: 4);
        var manifest = _sample.File("run/manifest.json");
        using (var json = JsonDocument.Parse(File.ReadAllText(manifest)))
        {
            json.RootElement.GetProperty("execution").GetString().ShouldBe("rows");
            File.WriteAllText(manifest, File.ReadAllText(manifest).Replace(
                $"\"threads\": {json.RootElement.GetProperty("threads").GetInt32()}", "\"threads\": 99", StringComparison.Ordinal));
        }
        var remarks = new SampleRun.Remarks();
        SampleRun.Run(_sample.Config("run", SampleRun.Sparse, "method.execution=activations"), ExistingRun.Resume, observer: remarks);
        remarks.Texts.ShouldContain(t => t.StartsWith("the run began with 99 threads and goes on with", StringComparison.Ordinal));
        remarks.Texts.ShouldContain("the run began with execution rows and goes on with activations: the bits may differ");
        using var after = JsonDocument.Parse(File.ReadAllText(manifest));
        after.RootElement.GetProperty("threads").GetInt32().ShouldBe(99);
        var part = after.RootElement.GetProperty("resumed").EnumerateArray().ShouldHaveSingleItem();
        (part.GetProperty("after_step").GetInt32(), part.GetProperty("execution").GetString()).ShouldBe((4, "activations"));
    }

    [Fact]
    public void Model_and_data_files_that_changed_are_all_named()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        var before = _sample.Files("run");
        File.AppendAllText(_sample.File("validation.jsonl"), "{\"input_ids\":[1,2,3],\"labels\":[1,2,3]}\n");
        var config = _sample.File("model/config.json");
        File.WriteAllText(config, File.ReadAllText(config) + "\n");
        var error = Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run"), ExistingRun.Resume));
        error.Message.ShouldContain("the model's config.json is another one (SHA-256 ");
        error.Message.ShouldContain("validation.jsonl is another one");
        error.Message.ShouldNotContain("/rows.jsonl");
        _sample.Files("run").ShouldBe(before, ignoreOrder: true);
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("chat_template.jinja")]
    public void So_are_files_that_shape_the_rows_tokens(string name)
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        _sample.Write(Path.Combine("model", name), "{}");
        var error = Should.Throw<InvalidInputException>(() => SampleRun.Run(_sample.Config("run"), ExistingRun.Resume));
        error.Message.ShouldContain($"the model's {name} was not there");
    }

    [Fact]
    public void Another_number_of_data_files_is_said()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        var error = Should.Throw<InvalidInputException>(
            () => SampleRun.Run(_sample.Config("run", SampleRun.Sparse, "data.validation=null"), ExistingRun.Resume));
        error.Message.ShouldContain("it had 2 data files");
    }

    [Fact]
    public void Parts_are_those_that_stand_after_a_step_was_taken_anew()
    {
        RunPart Part(int after, int threads) => new(after, threads, "cpu", null, "2");
        var manifest = new RunManifest
        {
            Threads = 2,
            LibtorchVersion = "2",
            Seed = 0,
            Device = "cpu",
            Execution = null,
            Model = new Dictionary<string, string>(),
            Data = new Dictionary<string, string>(),
            Template = null,
            Resumed = [Part(10, 1), Part(20, 4), Part(15, 2), Part(30, 8)],
        };
        manifest.PartsBetween(0, 10).ShouldBe([Part(0, 2)]);
        manifest.PartsBetween(5, 12).ShouldBe([Part(0, 2), Part(10, 1)]);
        manifest.PartsBetween(15, 30).ShouldBe([Part(15, 2)]);
        manifest.PartsBetween(20, 40).ShouldBe([Part(15, 2), Part(30, 8)]);
    }

    public void Dispose() => _sample.Dispose();
}
