using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Training.Runs;

/// <summary><c>evaluate.keep_best</c> where the best state's checkpoint is damaged before it is made the result.</summary>
public sealed class BestStateTests : IDisposable
{
    private readonly SampleRun _sample = new();

    [Fact]
    public void The_last_state_is_the_result_where_the_best_one_cannot_be_loaded_and_that_is_said()
    {
        // Nothing is so much better than the first measurement: it stays the best.
        var config = _sample.Config("run", SampleRun.Sparse, "evaluate.keep_best=true", "evaluate.patience=9", "evaluate.min_delta=100", "checkpoint.incremental=off");
        var result = SampleRun.Run(config);
        var best = result.ResultStep.ShouldNotBeNull();
        best.ShouldBeLessThan(result.Steps);
        var good = _sample.ResultHash("run");

        File.Delete(_sample.File("run/result.json")); // as if it had been killed before the result was there
        Directory.Delete(_sample.File("run/adapter"), recursive: true);
        var state = _sample.File($"run/checkpoints/step-{best:D6}/state.safetensors");
        var bytes = File.ReadAllBytes(state);
        bytes[^100] ^= 1;
        File.WriteAllBytes(state, bytes);
        var remarks = new SampleRun.Remarks();
        var again = SampleRun.Run(config, ExistingRun.Resume, observer: remarks);

        again.ResultStep.ShouldBe(again.Steps);
        remarks.Texts.ShouldContain(t => t.StartsWith($"the best state, of step {best}, cannot be loaded; the result is the last one, of step {again.Steps}", StringComparison.Ordinal));
        _sample.ResultHash("run").ShouldNotBe(good);
    }

    public void Dispose() => _sample.Dispose();
}
