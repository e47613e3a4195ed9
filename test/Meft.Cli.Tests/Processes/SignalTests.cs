using Shouldly;

namespace Meft.Cli.Tests.Processes;

/// <summary>SIGINT (Ctrl-C) and SIGTERM, sent to a real process.</summary>
public sealed class SignalTests : IDisposable
{
    private readonly ProcessRun _run = new();

    [Fact]
    public void Both_save_and_leave_with_exit_code_1_and_the_run_goes_on_to_the_same_bits()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals are those of Linux");
        var config = _run.Config(steps: 300, checkpointEvery: 0);
        var straight = _run.Straight(config);
        using (var first = MeftProcess.Start("train", config))
        {
            first.WaitForLine("step 1/300");
            first.Signal(MeftProcess.Interrupt);
            RequireSaved(first);
        }
        using (var second = MeftProcess.Start("train", config, "--resume"))
        {
            second.WaitForLine("resumed after step");
            second.Signal(MeftProcess.Terminate);
            RequireSaved(second);
        }
        ProcessRun.Train(config, "--resume").ShouldContain("resumed after step");
        _run.Adapter("run").ShouldBe(straight);
    }

    [Theory]
    [InlineData(MeftProcess.Interrupt)]
    [InlineData(MeftProcess.Terminate)]
    public void A_second_one_ends_at_once_and_harms_nothing(int signal)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals are those of Linux");
        var config = _run.Config(steps: 8, checkpointEvery: 1, rows: 4000, size: 4000); // a step takes long enough for a second signal within it
        var straight = _run.Straight(config);
        using (var process = MeftProcess.Start("train", config))
        {
            process.WaitForLine("step 1/8");
            process.Signal(signal);
            process.WaitForLine("meft: stopping");
            process.Signal(signal);
            process.WaitForExit().ShouldBe(128 + signal, process.Text);
            process.Text.ShouldNotContain("stopped after");
        }
        ProcessRun.Train(config, "--resume");
        _run.Adapter("run").ShouldBe(straight);
    }

    public void Dispose() => _run.Dispose();

    private static void RequireSaved(MeftProcess process)
    {
        process.WaitForExit().ShouldBe(1, process.Text);
        process.Text.ShouldContain("stopped after step");
        process.Text.ShouldContain("its state is saved");
        process.Text.ShouldContain("--resume");
        process.Text.ShouldNotContain("error:");
    }
}
