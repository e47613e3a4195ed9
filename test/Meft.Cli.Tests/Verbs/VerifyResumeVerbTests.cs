using System.Text.Json;
using Meft.Cli.Tests.Processes;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class VerifyResumeVerbTests : IDisposable
{
    private readonly ProcessRun _run = new();

    [Fact]
    public void The_run_itself_is_proved_from_its_checkpoints()
    {
        ProcessRun.Train(_run.Config(steps: 8, checkpointEvery: 3));
        // As a process of its own, in which nothing has been loaded before.
        using var proof = MeftProcess.Start("verify-resume", _run.File("run"));
        proof.WaitForExit().ShouldBe(0, proof.Text);
        proof.Text.ShouldContain("saved by the run after step 8");
        proof.Text.ShouldContain("resumed from step 6, after step 8");
        proof.Text.ShouldContain("the same bits: weights and moments, 2 steps");
        proof.Text.ShouldContain("taking steps 7 to 8 again");
    }

    [Fact]
    public void A_difference_is_exit_code_1_with_its_place()
    {
        ProcessRun.Train(_run.Config(steps: 8, checkpointEvery: 3));
        var config = _run.File("run/config.yaml");
        File.WriteAllText(config, File.ReadAllText(config).Replace("weight_decay: 0", "weight_decay: 0.1", StringComparison.Ordinal));
        var proof = Verify();
        proof.ExitCode.ShouldBe(1, proof.Error);
        proof.Output.ShouldContain("DIFFERENT: the first bits that differ are in layers.0.keys, row ");
    }

    [Fact]
    public void Json_is_one_document()
    {
        ProcessRun.Train(_run.Config(steps: 4, checkpointEvery: 0));
        var proof = Verify("--steps", "3", "--at", "1", "--threads", "1", "--json");
        proof.ExitCode.ShouldBe(0, proof.Error);
        using var json = JsonDocument.Parse(proof.Output);
        json.RootElement.GetProperty("kind").GetString().ShouldBe("interruption");
        json.RootElement.GetProperty("equal").GetBoolean().ShouldBeTrue();
        json.RootElement.GetProperty("to_step").GetInt32().ShouldBe(3);
        json.RootElement.GetProperty("resumed_after").GetInt32().ShouldBe(1);
        json.RootElement.GetProperty("threads").GetInt32().ShouldBe(1);
        json.RootElement.GetProperty("straight_hash").GetString()!.Length.ShouldBe(64);
    }

    [Fact]
    public void A_base_that_changed_since_is_exit_code_2()
    {
        ProcessRun.Train(_run.Config(steps: 4, checkpointEvery: 0));
        var model = _run.File("model/model.safetensors");
        var bytes = File.ReadAllBytes(model);
        bytes[^1] ^= 1;
        File.WriteAllBytes(model, bytes);
        var proof = Verify();
        proof.ExitCode.ShouldBe(2);
        proof.Error.ShouldContain("the model's model.safetensors is another one");
    }

    [Fact]
    public void Threads_of_train_stand_in_the_manifest()
    {
        var config = _run.Config(steps: 2, checkpointEvery: 0);
        ProgramRun.Of("train", config, "--threads", "0").ExitCode.ShouldBe(2);
        using var process = MeftProcess.Start("train", config, "--threads", "3");
        process.WaitForExit().ShouldBe(0, process.Text);
        using var manifest = JsonDocument.Parse(File.ReadAllText(_run.File("run/manifest.json")));
        manifest.RootElement.GetProperty("threads").GetInt32().ShouldBe(3);
    }

    public void Dispose() => _run.Dispose();

    private ProgramRun Verify(params string[] more) => ProgramRun.Of(["verify-resume", _run.File("run"), .. more]);
}
