using Meft.Core.Errors;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Training.Runs;

public sealed class ResumeVerificationTests : IDisposable
{
    private readonly SampleRun _sample = new();

    [Fact]
    public void A_run_with_two_checkpoints_is_resumed_from_one_and_compared_with_the_other()
    {
        SampleRun.Run(_sample.Config("run"));
        var before = _sample.Files("run");
        var proof = Verify(new());
        (proof.Kind, proof.FromStep, proof.ResumedAfter, proof.ToStep).ShouldBe((ProofKind.Checkpoints, 6, 6, 9));
        proof.Equal.ShouldBeTrue();
        proof.Difference.ShouldBeNull();
        proof.StraightHash.ShouldBe(proof.ResumedHash);
        proof.Remarks.ShouldBeEmpty();
        RequireUntouched(before);
    }

    [Theory]
    [InlineData(SampleRun.Sparse)]
    [InlineData("method: {kind: lora, rank: 4, dropout: 0.3}")]
    [InlineData("method: {kind: full}")]
    public void Steps_at_one_go_are_compared_with_the_same_steps_interrupted(string method)
    {
        SampleRun.Run(_sample.Config("run", method), stopAfter: 1);
        var before = _sample.Files("run");
        var proof = Verify(new());
        (proof.Kind, proof.FromStep, proof.ResumedAfter, proof.ToStep, proof.Equal).ShouldBe((ProofKind.Interruption, 0, 3, 6, true));
        var chosen = Verify(new() { Steps = 9, At = 2, Threads = 1 });
        (chosen.ResumedAfter, chosen.ToStep, chosen.Threads, chosen.Equal).ShouldBe((2, 9, 1, true));
        chosen.StraightHash.ShouldNotBe(proof.StraightHash);
        RequireUntouched(before);
    }

    [Fact]
    public void A_state_that_differs_is_found_with_its_tensor_and_row()
    {
        SampleRun.Run(_sample.Config("run"));
        // The run's own steps were taken with another rate: what it saved is not what its config leads to.
        var config = _sample.File("run/config.yaml");
        File.WriteAllText(config, File.ReadAllText(config).Replace("learning_rate: 0.02", "learning_rate: 0.021", StringComparison.Ordinal));
        var proof = Verify(new());
        proof.Equal.ShouldBeFalse();
        proof.Difference.ShouldNotBeNull().Tensor.ShouldBe("layers.0.keys");
        proof.Difference.Row.ShouldBeInRange(0, 63);
    }

    [Fact]
    public void Files_that_changed_since_are_named()
    {
        SampleRun.Run(_sample.Config("run"));
        File.AppendAllText(_sample.File("rows.jsonl"), "{\"input_ids\":[1,2,3],\"labels\":[1,2,3]}\n");
        var error = Should.Throw<InvalidInputException>(() => Verify(new()));
        error.Message.ShouldContain("rows.jsonl is another one");
        error.Message.ShouldNotContain("validation.jsonl");
    }

    [Fact]
    public void What_the_run_computed_with_is_computed_with_again_and_what_is_not_is_remarked()
    {
        SampleRun.Run(_sample.Config("run", SampleRun.Sparse, "method.execution=rows"));
        var manifest = _sample.File("run/manifest.json");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"libtorch_version\": \"", "\"libtorch_version\": \"0.", StringComparison.Ordinal));
        var proof = Verify(new() { Steps = 2 });
        proof.Equal.ShouldBeTrue();
        proof.Remarks.ShouldHaveSingleItem().ShouldContain("libtorch 0.");
    }

    [Theory]
    [InlineData(1, null, null, "--steps is 1")]
    [InlineData(10, null, null, "--steps is 10 and the run has 9")]
    [InlineData(4, 4, null, "--at is 4 and the proof takes 4 steps")]
    [InlineData(4, 0, null, "--at is 0")]
    [InlineData(null, null, 0, "--threads is 0")]
    public void Options_that_do_not_fit_the_run_are_refused(int? steps, int? at, int? threads, string problem)
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        Should.Throw<InvalidInputException>(() => Verify(new() { Steps = steps, At = at, Threads = threads })).Message.ShouldContain(problem);
    }

    [Fact]
    public void A_folder_that_is_no_run_is_refused()
    {
        Should.Throw<InvalidInputException>(() => Verify(new())).Message.ShouldContain("no such folder");
        _sample.Write("run/config.yaml", "model: x\n");
        Should.Throw<InvalidInputException>(() => Verify(new())).Message.ShouldContain("manifest.json is missing");
    }

    [Fact]
    public void A_run_that_goes_on_is_left_alone()
    {
        SampleRun.Run(_sample.Config("run"), stopAfter: 1);
        using (RunLock.Take(_sample.File("run")))
            Should.Throw<InvalidInputException>(() => Verify(new())).Message.ShouldContain($"process {Environment.ProcessId} on");
        Verify(new() { Steps = 2 }).Equal.ShouldBeTrue();
    }

    public void Dispose() => _sample.Dispose();

    private ResumeProof Verify(ResumeProofOptions options) => new ResumeVerification(_sample.File("run"), options).Run(TestContext.Current.CancellationToken);

    /// <summary>The run's files are as they were, and nothing was left beside it.</summary>
    private void RequireUntouched(IReadOnlyDictionary<string, string> before)
    {
        _sample.Files("run").ShouldBe(before, ignoreOrder: true);
        Directory.EnumerateFileSystemEntries(_sample.Folder, ".*").ShouldBeEmpty();
    }
}
