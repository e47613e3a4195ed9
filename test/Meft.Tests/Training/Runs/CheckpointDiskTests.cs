using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Meft.Training.Runs.Checkpoints;
using Shouldly;
using static Meft.Tests.Training.Runs.CheckpointSamples;

namespace Meft.Tests.Training.Runs;

/// <summary>Disks that the system itself finds full or read-only.</summary>
public sealed class CheckpointDiskTests
{
    private const long DiskBytes = 1 << 20;

    [Fact]
    public void A_disk_that_fills_while_a_checkpoint_is_written_costs_only_that_one()
    {
        using var disk = Mounted();
        // It says that there is room, so that the write itself finds the end of it.
        var (method, checkpoints) = OneSaved(disk, new TestDisk { Free = long.MaxValue });
        using var _ = method;
        var filler = Fill(disk, leave: 20_000);
        var error = Should.Throw<RunFailedException>(() => checkpoints.Save(2, method));
        error.Message.ShouldContain("the checkpoint of step 2");
        error.Message.ShouldContain("the disk is full");
        error.Message.ShouldContain("earlier checkpoints are as they were", Case.Insensitive);
        RequireOnlyTheFirst(disk, checkpoints);
        File.Delete(filler);
        checkpoints.Save(3, method);
        Loaded(checkpoints, 3).ShouldBe(TinyTask.Bits(method));
    }

    [Fact]
    public void Too_little_free_space_is_said_with_what_the_system_says_is_free()
    {
        using var disk = Mounted();
        var (method, checkpoints) = OneSaved(disk, new CheckpointDisk());
        using var _ = method;
        Fill(disk, leave: 20_000);
        var free = new DriveInfo(disk.Path).AvailableFreeSpace;
        Should.Throw<RunFailedException>(() => checkpoints.Save(2, method)).Message.ShouldContain($"bytes and {free} are free");
        RequireOnlyTheFirst(disk, checkpoints);
    }

    [Fact]
    public void A_disk_that_became_read_only_is_said_and_what_is_there_can_be_loaded()
    {
        using var disk = Mounted();
        var (method, checkpoints) = OneSaved(disk, new CheckpointDisk());
        using var _ = method;
        disk.MakeReadOnly();
        var error = Should.Throw<RunFailedException>(() => checkpoints.Save(2, method));
        error.Message.ShouldContain("the checkpoint of step 2 cannot be written");
        error.Message.ShouldContain("Read-only file system");
        RequireOnlyTheFirst(disk, checkpoints);
    }

    [Fact]
    public void A_run_on_a_read_only_disk_is_refused_before_anything_is_loaded()
    {
        using var sample = new SampleRun();
        using var disk = Mounted();
        disk.MakeReadOnly();
        var error = Should.Throw<InvalidInputException>(() => TrainingRun.Prepare(sample.Config(Path.Combine(disk.Path, "run")), ExistingRun.Refuse));
        error.Message.ShouldContain("the output folder cannot be written");
        error.Message.ShouldContain("Read-only file system");
    }

    [Fact]
    public void A_run_whose_checkpoints_do_not_fit_the_disk_is_refused_with_both_numbers()
    {
        using var sample = new SampleRun();
        using var disk = Mounted(DiskBytes * 3 / 2);
        var output = Path.Combine(disk.Path, "run");
        // 3 layers of (2·64 + 8)·64 parameters in float32 with two moments: 306 KiB a full checkpoint.
        var error = Should.Throw<InvalidInputException>(() => TrainingRun.Prepare(sample.Config(output, sets: ["checkpoint.every=1", "checkpoint.keep=4"]), ExistingRun.Refuse));
        error.Message.ShouldMatch(@"it needs [\d.]+ MiB of disk and what is free at .* is 1.5 MiB");
        error.Message.ShouldContain(output);
        error.Message.ShouldContain("checkpoint.keep: 1");
        Directory.Exists(output).ShouldBeFalse();
    }

    [Fact]
    public void More_checkpoints_than_any_disk_holds_are_refused_without_a_disk_of_our_own()
    {
        using var sample = new SampleRun();
        var config = sample.Config("run", sets: ["method.rank=524288", "checkpoint.every=1", "checkpoint.keep=1000", "max_steps=100000"]);
        const long needed = 1000L * 3 * 4 * 3 * 2 * 524288 * 64;
        Assert.SkipWhen(new DriveInfo(sample.Folder).AvailableFreeSpace > needed, $"there are more than {needed} bytes free");
        Should.Throw<InvalidInputException>(() => TrainingRun.Prepare(config, ExistingRun.Refuse)).Message.ShouldMatch(@"it needs \d[\d.]* GiB of disk and what is free at .* is [\d.]+ GiB");
        Directory.Exists(config.Output).ShouldBeFalse();
    }

    private static MountedDisk Mounted(long bytes = DiskBytes)
    {
        var disk = MountedDisk.TryMount(bytes, out var reason);
        Assert.SkipWhen(disk is null, reason);
        return disk!;
    }

    private static (SparseAdapterMethod Method, CheckpointFolder Checkpoints) OneSaved(MountedDisk disk, ICheckpointDisk through)
    {
        var method = TinyTask.NewMethod();
        var checkpoints = new CheckpointFolder(Path.Combine(disk.Path, "checkpoints"), 2, IncrementalCheckpoints.Auto, through);
        checkpoints.Save(1, method);
        Touch(method, 1, [.. Enumerable.Range(0, 60)]);
        return (method, checkpoints);
    }

    /// <summary>Takes all but some bytes, in whole pages; returns the file that does.</summary>
    private static string Fill(MountedDisk disk, int leave)
    {
        var filler = Path.Combine(disk.Path, "filler");
        File.WriteAllBytes(filler, new byte[new DriveInfo(disk.Path).AvailableFreeSpace - leave]);
        return filler;
    }

    private static void RequireOnlyTheFirst(MountedDisk disk, CheckpointFolder checkpoints)
    {
        checkpoints.Steps.ShouldBe([1]);
        Directory.EnumerateFiles(disk.Path, "*.tmp", SearchOption.AllDirectories).ShouldBeEmpty();
        using var method = TinyTask.NewMethod();
        checkpoints.LoadNewest(method, _ => { }).ShouldBe(1);
    }
}
