using Meft.Native;
using Meft.Tests.Models;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Training.Runs;

/// <summary>Steps at one go, and the same steps with stops and resumes: the same bits, with accumulation and shuffling on, over several epochs.</summary>
public sealed class ResumeBitsTests : IDisposable
{
    private readonly SampleRun _sample = new();

    /// <summary>A name, the method, overrides.</summary>
    private static readonly Dictionary<string, (string Method, string[] Sets)> Cases = new()
    {
        ["touched rows"] = (SampleRun.Sparse, []),
        ["all rows"] = (SampleRun.Sparse, ["optimizer.rows=all"]),
        ["softmax gate, rows travel"] = (SampleRun.Sparse, ["method.gate=softmax", "method.execution=rows"]),
        ["rows travel, recompute"] = (SampleRun.Sparse, ["method.execution=rows", "recompute=on"]),
        ["activations travel, streamed base"] = (SampleRun.Sparse, ["method.execution=activations", "base=streamed"]),
        ["streamed base, stopped between evaluations"] = (SampleRun.Sparse, ["base=streamed", "evaluate.every=5"]),
        ["no router, last layers"] = ("method: {kind: meft, rank: 48, top_k: 5, experts: 0, layers: 'last:2'}", []),
        ["bf16 base"] = (SampleRun.Sparse, ["dtype=bf16"]),
        ["rows of like length"] = (SampleRun.Sparse, ["data.group_by_length=true"]),
        ["packed rows"] = (SampleRun.Sparse, ["data.packing=true"]),
        ["weighted files"] = (SampleRun.Sparse, ["data.train=[{file: rows.jsonl, weight: 0.5}, validation.jsonl]"]),
        ["rows in their order, no accumulation"] = (SampleRun.Sparse, ["data.shuffle=false", "batch.accumulate=1"]),
        ["LoRA with dropout"] = ("method: {kind: lora, rank: 4, dropout: 0.3, targets: all-linear}", []),
        ["LoRA, recompute"] = ("method: {kind: lora, rank: 4, dropout: 0.1}", ["recompute=on"]),
        ["parallel"] = ("method: {kind: parallel, rank: 32}", []),
        ["full"] = ("method: {kind: full}", ["optimizer.learning_rate=1e-3"]),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_run_that_was_stopped_twice_ends_as_a_straight_one(string name) => RequireSame(name);

    [Theory]
    [InlineData("touched rows", 1)]
    [InlineData("rows travel, recompute", 1)]
    [InlineData("LoRA with dropout", 1)]
    [InlineData("touched rows", 3)]
    public void So_on_other_numbers_of_threads(string name, int threads)
    {
        var before = ComputeThreads.Chosen;
        try
        {
            ComputeThreads.Use(threads);
            RequireSame(name);
        }
        finally
        {
            ComputeThreads.Chosen = before;
            ComputeThreads.Use();
        }
    }

    [Theory]
    [Trait("Category", "Fixtures")]
    [MemberData(nameof(TinyModel.Names), MemberType = typeof(TinyModel))]
    public void So_on_every_family(string family) => RequireSame("touched rows", $"model={TinyModel.Folder(family)}", "max_steps=5", "batch.accumulate=1");

    [Fact]
    public void The_steps_before_and_after_a_resume_are_one_run_in_metrics_result_and_report()
    {
        var straight = SampleRun.Run(_sample.Config("straight"));
        var first = SampleRun.Run(_sample.Config("stopped"), stopAfter: 4);
        var second = SampleRun.Run(_sample.Config("stopped"), ExistingRun.Resume, stopAfter: 5);
        var last = SampleRun.Run(_sample.Config("stopped"), ExistingRun.Resume);

        (first.Steps, first.Interrupted, second.Steps, last.Steps, last.Interrupted).ShouldBe((4, true, 5, 9, false));
        last.StartValidationLoss.ShouldBe(straight.StartValidationLoss);
        last.StartValidationLoss.ShouldNotBeNull();
        last.EndValidationLoss.ShouldBe(straight.EndValidationLoss);
        second.Seconds.ShouldBeGreaterThan(first.Seconds);
        last.Seconds.ShouldBeGreaterThan(second.Seconds);
        _sample.Metrics("stopped").Count.ShouldBe(9);
        _sample.Metrics("stopped").Count(line => line.Contains("validation_loss", StringComparison.Ordinal)).ShouldBe(5); // every second and the last
        _sample.Result("stopped").ShouldBe(_sample.Result("straight"));
        Curves("stopped").ShouldBe(Curves("straight"));
    }

    [Fact]
    public void What_a_killed_process_had_no_time_to_say_comes_from_its_checkpoint()
    {
        SampleRun.Run(_sample.Config("straight"));
        SampleRun.Run(_sample.Config("killed"), stopAfter: 7);
        // As a kill after the checkpoint would have left it: no result, and a line of a step that the checkpoint does not have.
        File.Delete(_sample.File("killed/result.json"));
        File.AppendAllText(_sample.File("killed/metrics.jsonl"), "{\"step\":8,\"loss\":1}\n{\"step\":9,\"lo");
        var before = _sample.Metrics("straight").Take(7).Count();
        var result = SampleRun.Run(_sample.Config("killed"), ExistingRun.Resume);
        before.ShouldBe(7);
        result.Seconds.ShouldBeGreaterThan(0);
        _sample.ResultHash("killed").ShouldBe(_sample.ResultHash("straight"));
        _sample.Metrics("killed").ShouldBe(_sample.Metrics("straight"));
        _sample.Result("killed").ShouldBe(_sample.Result("straight"));
    }

    [Fact]
    public void A_run_that_was_killed_after_its_last_checkpoint_still_gives_its_result()
    {
        SampleRun.Run(_sample.Config("straight"));
        SampleRun.Run(_sample.Config("killed"));
        var (hash, result) = (_sample.ResultHash("killed"), _sample.Result("killed"));
        File.Delete(_sample.File("killed/result.json"));
        File.Delete(_sample.File("killed/adapter/adapter_config.json"));
        SampleRun.Run(_sample.Config("killed"), ExistingRun.Resume).WasFinished.ShouldBeFalse();
        _sample.ResultHash("killed").ShouldBe(hash);
        _sample.Result("killed").ShouldBe(result);
        File.Exists(_sample.File("killed/adapter/adapter_config.json")).ShouldBeTrue();
    }

    public void Dispose() => _sample.Dispose();

    private void RequireSame(string name, params string[] more)
    {
        var (method, sets) = Cases[name];
        string[] all = ["max_steps=6", .. sets, .. more]; // four steps are an epoch
        SampleRun.Run(_sample.Config("straight", method, all));
        SampleRun.Run(_sample.Config("stopped", method, all), stopAfter: 2);
        SampleRun.Run(_sample.Config("stopped", method, all), ExistingRun.Resume, stopAfter: 4);
        SampleRun.Run(_sample.Config("stopped", method, all), ExistingRun.Resume);
        _sample.ResultHash("stopped").ShouldBe(_sample.ResultHash("straight"));
        _sample.Metrics("stopped").ShouldBe(_sample.Metrics("straight"));
        _sample.Result("stopped").ShouldBe(_sample.Result("straight"));
    }

    /// <summary>The report's first curve, that of the losses.</summary>
    private string Curves(string output)
    {
        var report = File.ReadAllText(_sample.File(output + "/report.html"));
        var start = report.IndexOf("<polyline", StringComparison.Ordinal);
        start.ShouldBeGreaterThan(0);
        return report[start..report.IndexOf("</svg>", start, StringComparison.Ordinal)];
    }
}
