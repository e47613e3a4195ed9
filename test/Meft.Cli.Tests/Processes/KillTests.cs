using Shouldly;

namespace Meft.Cli.Tests.Processes;

/// <summary>The process is ended by SIGKILL and taken up again.</summary>
public sealed class KillTests : IDisposable
{
    private const int Kills = 5;
    private readonly ProcessRun _run = new();

    /// <summary>
    /// The moments are counted in events of the file system in the run's folder, of which a save makes most: so many kills fall within one.
    /// </summary>
    [Fact]
    public void Five_kills_at_random_moments_change_no_bit_and_leave_nothing_half_written()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the moments are told by inotify");
        var config = _run.Config(steps: 100, checkpointEvery: 2);
        var straight = _run.Straight(config);
        var random = new Random(20);
        for (var kill = 1; kill < Kills; kill++) KillAfter(random.Next(1, 70), config);
        KillWithinSave(config);

        var rest = ProcessRun.Train(config, Resume());
        rest.ShouldContain("resumed after step");
        _run.Adapter("run").ShouldBe(straight);
        Directory.EnumerateFiles(_run.File("run"), "*.tmp", SearchOption.AllDirectories).ShouldBeEmpty();
        File.Exists(_run.File("run/run.lock")).ShouldBeFalse();
        Steps("run").ShouldBe(Steps("straight"));
        Steps("run").Count.ShouldBe(100);
    }

    public void Dispose() => _run.Dispose();

    private void KillAfter(int events, string config)
    {
        using var process = MeftProcess.Start(["train", config, .. Resume()]);
        using var watcher = new FileSystemWatcher(_run.Folder) { IncludeSubdirectories = true };
        void Count(object sender, FileSystemEventArgs e)
        {
            if (Interlocked.Decrement(ref events) == 0) process.Kill();
        }
        watcher.Created += Count;
        watcher.Changed += Count;
        watcher.Deleted += Count;
        watcher.Renamed += Count;
        watcher.EnableRaisingEvents = true;
        process.WaitForExit().ShouldBe(128 + 9, process.Text);
    }

    /// <summary>
    /// Halts the process whenever something of a checkpoint comes to be, and kills it when that checkpoint has no manifest yet: the save is certainly
    /// under way. Else it goes on to the next one.
    /// </summary>
    private void KillWithinSave(string config)
    {
        var killed = "";
        using var process = MeftProcess.Start(["train", config, .. Resume()]);
        using var watcher = new FileSystemWatcher(_run.Folder, "*") { IncludeSubdirectories = true };
        watcher.Created += (_, e) =>
        {
            if (killed.Length > 0 || !e.FullPath.Contains("/checkpoints/step-", StringComparison.Ordinal)) return;
            process.Halt();
            var step = Directory.Exists(e.FullPath) ? e.FullPath : Path.GetDirectoryName(e.FullPath)!;
            if (Directory.Exists(step) && !File.Exists(Path.Combine(step, "manifest.json")))
            {
                killed = step;
                process.Kill();
            }
            else
            {
                process.Continue();
            }
        };
        watcher.EnableRaisingEvents = true;
        process.WaitForExit().ShouldBe(128 + 9, process.Text);
        killed.ShouldNotBeEmpty();
        File.Exists(Path.Combine(killed, "manifest.json")).ShouldBeFalse();
    }

    /// <summary>A run that was killed before it had a config is none yet.</summary>
    private string[] Resume() => File.Exists(_run.File("run/config.yaml")) ? ["--resume"] : [];

    /// <summary>Step and loss of every line.</summary>
    private List<string> Steps(string output) =>
    [
        .. File.ReadAllLines(_run.File(output + "/metrics.jsonl")).Select(line =>
        {
            using var json = System.Text.Json.JsonDocument.Parse(line);
            return $"{json.RootElement.GetProperty("step")} {json.RootElement.GetProperty("loss").GetRawText()}";
        }),
    ];
}
