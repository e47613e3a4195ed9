using System.Text.Json;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Meft.Training.Runs.Checkpoints;
using Shouldly;

namespace Meft.Tests.Training.Runs;

public sealed class CheckpointSaverTests : IDisposable
{
    private const long Plenty = 1L << 30;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("meft")]
    [InlineData("lora")]
    public void What_a_slow_disk_gets_while_training_goes_on_is_the_state_of_its_step(string kind)
    {
        using var tiny = new TinyTask();
        using ITrainedMethod method = kind == "meft" ? TinyTask.NewMethod() : TinyTask.NewLora();
        using var gate = new ManualResetEventSlim();
        var run = NewRun(new TestDisk { Writing = _ => gate.Wait(TestContext.Current.CancellationToken) });
        var bits = new Dictionary<int, float[]>();
        var seen = new Watcher(step =>
        {
            bits[step] = TinyTask.Bits(method);
            // The checkpoint of step 4 is written only when step 6 has changed the rows again.
            if (step == 6) gate.Set();
        });
        new Trainer(tiny.Create(method, steps: 7, checkpointEvery: 4) with { CheckpointCopyBytes = Plenty }, run, seen)
            .Run(cancellation: TestContext.Current.CancellationToken);
        foreach (var step in new[] { 4, 7 })
        {
            using ITrainedMethod loaded = kind == "meft" ? TinyTask.NewMethod() : TinyTask.NewLora();
            run.Checkpoints.Load(step, loaded);
            TinyTask.Bits(loaded).ShouldBe(bits[step], $"step {step}");
        }
        seen.Saved.Select(s => s.Step).ShouldBe([4, 7]);
        Line(5).GetProperty("checkpoint").GetProperty("step").GetInt32().ShouldBe(4);
        Line(5).GetProperty("checkpoint").GetProperty("write_seconds").ValueKind.ShouldBe(JsonValueKind.Null);
        Line(4).TryGetProperty("checkpoint", out _).ShouldBeFalse();
    }

    [Fact]
    public void Where_a_copy_does_not_fit_the_loop_waits_and_nothing_is_written_beside_it()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var threads = new List<int>();
        var run = NewRun(new TestDisk { Writing = _ => threads.Add(Environment.CurrentManagedThreadId) });
        var seen = new Watcher(_ => { });
        new Trainer(tiny.Create(method, steps: 5, checkpointEvery: 2) with { CheckpointCopyBytes = 1000 }, run, seen)
            .Run(cancellation: TestContext.Current.CancellationToken);
        threads.ShouldAllBe(t => t == Environment.CurrentManagedThreadId);
        seen.Saved.Select(s => s.Step).ShouldBe([2, 4, 5]);
        Line(3).GetProperty("checkpoint").GetProperty("write_seconds").GetDouble().ShouldBePositive();
    }

    [Fact]
    public void A_write_that_fails_beside_the_loop_stops_the_run_and_leaves_the_earlier_checkpoints()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var disk = new TestDisk();
        // By its path, not by the step that the loop has reached: the checkpoint of step 2 may still be under way then.
        disk.Writing = path =>
        {
            if (path.Contains("step-000004", StringComparison.Ordinal)) disk.FullAfter = 1000;
        };
        var run = NewRun(disk);
        var seen = new Watcher(_ => { });
        var error = Should.Throw<RunFailedException>(() => new Trainer(tiny.Create(method, steps: 40, checkpointEvery: 2) with { CheckpointCopyBytes = Plenty }, run, seen)
            .Run(cancellation: TestContext.Current.CancellationToken));
        error.Message.ShouldContain("step 4");
        error.Message.ShouldContain("disk is full");
        run.Checkpoints.Steps.ShouldBe([2]);
        seen.Steps.ShouldBeLessThan(40);
    }

    [Fact]
    public void Being_asked_to_stop_waits_for_the_write_and_saves_the_last_step()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        using var gate = new ManualResetEventSlim();
        using var stop = new CancellationTokenSource();
        var run = NewRun(new TestDisk { Writing = _ => gate.Wait(TestContext.Current.CancellationToken) });
        var seen = new Watcher(step =>
        {
            if (step != 3) return;
            stop.Cancel();
            gate.Set();
        });
        new Trainer(tiny.Create(method, steps: 40, checkpointEvery: 2) with { CheckpointCopyBytes = Plenty }, run, seen).Run(0, stop.Token).Interrupted.ShouldBeTrue();
        run.Checkpoints.Steps.ShouldBe([2, 3]);
        run.Checkpoints.Incomplete.ShouldBeEmpty();
    }

    [Fact]
    public void The_next_save_waits_for_the_one_before()
    {
        using var method = TinyTask.NewMethod();
        var (running, most) = (0, 0);
        var disk = new TestDisk
        {
            Writing = _ =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                Interlocked.Decrement(ref running);
            },
        };
        var checkpoints = new CheckpointFolder(_folder.File("checkpoints"), 3, IncrementalCheckpoints.Auto, disk);
        var seen = new Watcher(_ => { });
        using (var saver = new CheckpointSaver(checkpoints, method, seen, Plenty))
        {
            for (var step = 1; step <= 6; step++) saver.Save(step, TrainingProgress.None);
        }
        most.ShouldBe(1);
        seen.Saved.Select(s => s.Step).ShouldBe([1, 2, 3, 4, 5, 6]);
        seen.Saved.Select(s => s.Kind).ShouldBe([CheckpointKind.Full, .. Enumerable.Repeat(CheckpointKind.Incremental, 5)]);
    }

    private JsonElement Line(int step) => JsonDocument.Parse(File.ReadAllLines(_folder.File("run/metrics.jsonl"))[step - 1]).RootElement;

    private RunFolder NewRun(ICheckpointDisk disk) => RunFolder.Open(
        new RunConfig
        {
            Model = _folder.File("model"),
            Output = _folder.File("run"),
            Data = new DataConfig { Train = [_folder.File("rows.jsonl")] },
        }, ExistingRun.Refuse, null, disk);

    private sealed class Watcher(Action<int> afterStep) : ITrainingObserver
    {
        public List<SavedCheckpoint> Saved { get; } = [];

        public int Steps { get; private set; }

        public void Started(int fromStep, int totalSteps)
        {
        }

        public void Remarked(string text)
        {
        }

        public void StepTaken(StepMetrics metrics)
        {
            Steps = metrics.Step;
            afterStep(metrics.Step);
        }

        public void Evaluated(int step, double loss)
        {
        }

        public void CheckpointSaved(int step, string folder)
        {
        }

        public void CheckpointSaved(SavedCheckpoint saved) => Saved.Add(saved);
    }
}
