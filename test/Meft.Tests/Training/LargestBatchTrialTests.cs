using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Schedules;
using Meft.Memory;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Shouldly;
using TorchSharp;

namespace Meft.Tests.Training;

public class LargestBatchTrialTests
{
    [Theory]
    [InlineData("meft")]
    [InlineData("lora")]
    [InlineData("full")]
    public void The_run_has_the_same_bits_with_it_and_without(string kind)
    {
        (float[] Bits, List<double> Losses, List<double> Norms, List<long> Peaks, int Trials) Run(WorstBatchCheck check)
        {
            using var tiny = new TinyTask();
            using ITrainedMethod method = kind switch
            {
                "meft" => TinyTask.NewMethod(),
                "lora" => TinyTask.NewLora(dropout: 0.3),
                _ => new FullMethod(tiny.Decoder),
            };
            var seen = new RecordingObserver();
            var task = tiny.Create(method, new BatchConfig { Size = 3, Accumulate = 2 }, steps: 6) with { CheckWorstBatch = check };
            var trainer = new Trainer(task, null, seen);
            trainer.Run(cancellation: TestContext.Current.CancellationToken);
            return (TinyTask.Bits(method), [.. seen.Steps.Select(s => s.Loss)], [.. seen.Steps.Select(s => s.GradNorm)],
                [.. seen.Steps.Select(s => s.DeviceBytesPeak).Append(trainer.Ledger.DeviceBytes)], seen.Trials.Count);
        }
        var (with, without) = (Run(WorstBatchCheck.On), Run(WorstBatchCheck.Off));
        (with.Trials, without.Trials).ShouldBe((1, 0));
        with.Bits.ShouldBe(without.Bits);
        with.Losses.ShouldBe(without.Losses);
        with.Norms.ShouldBe(without.Norms);
        with.Peaks.ShouldBe(without.Peaks);
    }

    [Fact]
    public void It_is_tried_where_it_comes_late_and_left_to_the_run_where_it_comes_soon()
    {
        using var tiny = new TinyTask();
        LargestBatchTrial? Trial(int longAt, int fromStep = 0)
        {
            using var method = TinyTask.NewMethod();
            var seen = new RecordingObserver();
            new Trainer(tiny.Create(method) with
            {
                Batches = Batches(longAt, steps: 14),
                Rates = new LearningRateSchedule(ScheduleKind.Constant, 0.01, 0, 14),
                Predicted = new PredictedResult(1L << 40, 1_000, null),
            }, null, seen).Run(fromStep, TestContext.Current.CancellationToken);
            return seen.Trials.SingleOrDefault();
        }
        Trial(longAt: 10).ShouldBeNull();
        var trial = Trial(longAt: 11).ShouldNotBeNull();
        (trial.Step, trial.Rows, trial.Tokens).ShouldBe((11, 2, 60));
        trial.DeviceBytes.ShouldBeGreaterThan(1_000);
        trial.ToString().ShouldContain("step 0: the largest micro-batch (of step 11: 2 rows, 60 tokens) fits; ");
        trial.ToString().ShouldContain("(plan 0.0 MiB: much more than planned), process ");
        trial.ToString().ShouldEndWith("(plan 1,048,576.0 MiB) at its peak");
        Trial(longAt: 13, fromStep: 4).ShouldBeNull(); // the ninth step of what is left
        Trial(longAt: 13, fromStep: 2).ShouldNotBeNull();
    }

    [Fact]
    public void A_budget_that_a_late_batch_exceeds_is_told_before_the_first_step()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var before = TinyTask.Bits(method);
        var task = tiny.Create(method) with { Batches = Batches(longAt: 12, steps: 12), Rates = new LearningRateSchedule(ScheduleKind.Constant, 0.01, 0, 12) };
        var seen = new RecordingObserver();
        var trainer = new Trainer(task with { CheckWorstBatch = WorstBatchCheck.Off }, null, seen);
        trainer.Run(cancellation: TestContext.Current.CancellationToken);
        var (small, large) = (seen.Steps[0].DeviceBytesPeak, seen.Steps[^1].DeviceBytesPeak);
        large.ShouldBeGreaterThan(small);

        using var other = TinyTask.NewMethod();
        var watched = new RecordingObserver();
        var error = Should.Throw<DeviceBudgetException>(
            () => new Trainer(task with { Method = other, DeviceBudget = large - 1 }, null, watched).Run(cancellation: TestContext.Current.CancellationToken));
        watched.Steps.ShouldBeEmpty();
        TinyTask.Bits(other).ShouldBe(before);
        error.Message.ShouldStartWith("budget.device: before the first step, the largest micro-batch of the run (in step 12: 2 rows of 60 tokens, the longest long.jsonl:1 with 30): ");
        error.Message.ShouldContain($"of a budget of {large - 1:N0}");

        using var enough = TinyTask.NewMethod();
        new Trainer(task with { Method = enough, DeviceBudget = large }).Run(cancellation: TestContext.Current.CancellationToken).Steps.ShouldBe(12);
    }

    [Fact]
    public void Memory_that_libtorch_cannot_get_is_a_clear_error_and_the_steps_before_are_saved()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        using var inner = TinyTask.NewMethod();
        using var method = new MethodWithFaults(inner)
        {
            OnMicroBatch = (step, _) =>
            {
                if (step == 3) torch.empty(1L << 46).Dispose();
            },
        };
        var run = RunFolder.Open(
            new RunConfig { Model = "m", Output = folder.File("run"), Data = new DataConfig { Train = ["rows.jsonl"] } }, ExistingRun.Refuse);
        var error = Should.Throw<BatchMemoryException>(() => new Trainer(tiny.Create(method), run).Run(cancellation: TestContext.Current.CancellationToken));
        error.ChangedNothing.ShouldBeTrue();
        error.Message.ShouldStartWith("step 3: memory does not suffice for a micro-batch of the step (the largest: 4 rows of ");
        error.Message.ShouldContain("lower batch.size");
        error.Message.ShouldContain("allocate");
        run.Checkpoints.Steps.ShouldBe([2]);
    }

    [Fact]
    public void Memory_that_is_short_within_an_update_leaves_the_older_checkpoint()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        using var inner = TinyTask.NewMethod();
        using var method = new MethodWithFaults(inner)
        {
            OnUpdate = step =>
            {
                if (step == 3) throw new InsufficientMemoryException();
            },
        };
        var run = RunFolder.Open(
            new RunConfig { Model = "m", Output = folder.File("run"), Data = new DataConfig { Train = ["rows.jsonl"] } }, ExistingRun.Refuse);
        var error = Should.Throw<BatchMemoryException>(
            () => new Trainer(tiny.Create(method, checkpointEvery: 1), run).Run(cancellation: TestContext.Current.CancellationToken));
        error.ChangedNothing.ShouldBeFalse();
        run.Checkpoints.Steps.ShouldBe([1, 2]);
    }

    /// <summary>Two rows a step, in order; those of one step are long.</summary>
    private static BatchSchedule Batches(int longAt, int steps)
    {
        var rows = TinyTask.Rows(2 * steps);
        for (var i = 0; i < 2; i++)
        {
            int[] ids = [.. Enumerable.Range(0, 30).Select(n => (n + i) % TinyTask.Vocabulary)];
            rows[(2 * (longAt - 1)) + i] = new TokenRow(ids, ids, new RowOrigin("long.jsonl", i + 1));
        }
        return new BatchSchedule(rows, new BatchConfig { Size = 2 }, seed: 1, epochs: 1, null, shuffle: false);
    }
}
