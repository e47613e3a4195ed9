using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.Host;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Shouldly;
using TorchSharp;

namespace Meft.Tests.Training;

public class TrainerTests
{
    [Fact]
    public void The_loss_falls_and_the_base_keeps_its_bits()
    {
        using var tiny = new TinyTask();
        var before = tiny.Decoder.Parameters.ToDictionary(p => p.Key, p => p.Value.clone());
        using var method = TinyTask.NewMethod();
        var seen = new Recorder();
        new Trainer(tiny.Create(method, steps: 40), null, seen).Run(cancellation: TestContext.Current.CancellationToken).Interrupted.ShouldBeFalse();
        seen.Steps[^1].Loss.ShouldBeLessThan(0.7 * seen.Steps[0].Loss);
        foreach (var (name, tensor) in before) tensor.equal(tiny.Decoder.Parameters[name]).all().item<bool>().ShouldBeTrue(name);
    }

    [Fact]
    public void What_a_device_budget_stops_is_saved_up_to_the_step_before()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        var rows = TinyTask.Rows(4);
        // Long rows come in the second step.
        rows.AddRange(TinyTask.Rows(4).Select(r => r with { InputIds = [.. r.InputIds, .. r.InputIds, .. r.InputIds], Labels = [.. r.Labels, .. r.Labels, .. r.Labels] }));
        using var free = TinyTask.NewMethod();
        var task = tiny.Create(free, new BatchConfig { Size = 4 }, steps: 1, rows: rows);
        var trainer = new Trainer(task with { Batches = new BatchSchedule(rows, new BatchConfig { Size = 4 }, 1, null, 1, shuffle: false) });
        trainer.Run(cancellation: TestContext.Current.CancellationToken);

        using var method = TinyTask.NewMethod();
        var run = NewRun(folder);
        var budgeted = tiny.Create(method, new BatchConfig { Size = 4 }, steps: 2, rows: rows) with
        {
            Batches = new BatchSchedule(rows, new BatchConfig { Size = 4 }, 1, null, 2, shuffle: false),
            DeviceBudget = trainer.Ledger.DeviceBytesPeak,
        };
        Should.Throw<DeviceBudgetException>(() => new Trainer(budgeted, run).Run(cancellation: TestContext.Current.CancellationToken));
        using var restored = TinyTask.NewMethod();
        run.Checkpoints.LoadNewest(restored, _ => { }).ShouldBe(1);
        TinyTask.Bits(restored).ShouldBe(TinyTask.Bits(free));
    }

    [Fact]
    public void The_adapted_model_starts_as_the_base_bit_for_bit()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        using var layout = TokenLayout.FromLengths([5], torch.CPU);
        using var ids = torch.tensor(new long[] { 1, 2, 3, 4, 5 });
        using var noGradients = torch.no_grad();
        using var plain = tiny.Decoder.Forward(ids, layout);
        using var adapted = tiny.Decoder.Forward(ids, layout, adapter: method.Adapter);
        adapted.equal(plain).all().item<bool>().ShouldBeTrue();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_run_that_was_stopped_and_resumed_has_the_same_bits_as_a_straight_one(int threads)
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        var before = KernelThreads.Count;
        KernelThreads.Count = threads;
        using var restored = new Restore(() => KernelThreads.Count = before);
        var batch = new BatchConfig { Size = 3, Accumulate = 2 };

        using var straight = TinyTask.NewMethod();
        new Trainer(tiny.Create(straight, batch)).Run(cancellation: TestContext.Current.CancellationToken);

        var run = NewRun(folder);
        using (var first = TinyTask.NewMethod())
        {
            using var stop = new CancellationTokenSource();
            var outcome = new Trainer(tiny.Create(first, batch), run, new StopAfter(5, stop)).Run(0, stop.Token);
            (outcome.Interrupted, outcome.Steps).ShouldBe((true, 5));
        }
        using var resumed = TinyTask.NewMethod();
        run.Checkpoints.Steps.ShouldBe([5]);
        run.Checkpoints.Load(5, resumed);
        new Trainer(tiny.Create(resumed, batch), run).Run(fromStep: 5, TestContext.Current.CancellationToken).Steps.ShouldBe(12);

        TinyTask.Bits(resumed).ShouldBe(TinyTask.Bits(straight));
        File.ReadAllLines(folder.File("run/metrics.jsonl")).Length.ShouldBe(12);
    }

    [Fact]
    public void Accumulated_micro_batches_are_one_batch()
    {
        using var tiny = new TinyTask();
        var rows = TinyTask.Rows(8);
        List<StepMetrics> Steps(BatchConfig batch)
        {
            var seen = new Recorder();
            using var method = TinyTask.NewMethod();
            new Trainer(tiny.Create(method, batch, steps: 4, rows: rows), null, seen).Run(cancellation: TestContext.Current.CancellationToken);
            return seen.Steps;
        }
        foreach (var (whole, parts) in Steps(new BatchConfig { Size = 8 }).Zip(Steps(new BatchConfig { Size = 3, Accumulate = 3 })))
        {
            parts.Loss.ShouldBe(whole.Loss, 1e-5);
            parts.GradNorm.ShouldBe(whole.GradNorm, 1e-4 * whole.GradNorm);
            parts.TrainedTokens.ShouldBe(whole.TrainedTokens);
        }
    }

    [Fact]
    public void Rows_that_no_token_activates_keep_their_bits()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        // A step first, so that moments are not zero; then one that touches few rows, with weight decay on.
        new Trainer(tiny.Create(method, steps: 1)).Run(cancellation: TestContext.Current.CancellationToken);
        var counter = new TouchedRowCounter(method, method.Sparse);
        var before = method.Matrices.ToDictionary(m => m.Name, m => Copies(m.Rows));
        new Trainer(tiny.Create(counter, new BatchConfig { Size = 1 }, steps: 1)).Run(cancellation: TestContext.Current.CancellationToken);
        foreach (var matrix in method.Matrices.Where(m => !m.Name.EndsWith("gate", StringComparison.Ordinal)))
        {
            var layer = TinyTask.Spec.Layers.ToList().IndexOf(int.Parse(matrix.Name.Split('.')[1]));
            var touched = counter.Rows[layer];
            touched.Count.ShouldBeInRange(1, TinyTask.Spec.Rank - 1);
            foreach (var (now, then) in Copies(matrix.Rows).Zip(before[matrix.Name]))
            {
                for (var row = 0; row < now.Count; row++)
                {
                    if (!touched.Contains(row)) now[row].ShouldBe(then[row], $"{matrix.Name}, row {row}");
                }
            }
            Copies(matrix.Rows)[0].Index().Count(r => !r.Item.SequenceEqual(before[matrix.Name][0][r.Index])).ShouldBe(touched.Count, matrix.Name);
        }

        static List<List<float[]>> Copies(ParameterRows rows) =>
            [.. new[] { rows.Weights, rows.FirstMoments, rows.SecondMoments }.Select(m => Enumerable.Range(0, m.Rows).Select(r => m.Row(r).ToArray()).ToList())];
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_step_and_names_layer_and_rows()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var run = NewRun(folder);
        var values = method.Matrices.Single(m => m.Name == "layers.2.values").Rows.Weights;
        var poison = new PoisonAfter(3, () =>
        {
            for (var row = 0; row < values.Rows; row++) values.Row(row).Fill(float.NaN);
        });
        var error = Should.Throw<NonFiniteException>(() => new Trainer(tiny.Create(method, checkpointEvery: 2), run, poison).Run(cancellation: TestContext.Current.CancellationToken));
        error.Step.ShouldBe(4);
        error.ExitCode.ShouldBe(1);
        error.Message.ShouldContain("layer 2");
        error.Message.ShouldContain("rows.jsonl:");
        run.Checkpoints.Steps.ShouldBe([2]);
    }

    [Fact]
    public void Weights_that_are_not_finite_take_the_place_of_no_checkpoint()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var run = NewRun(folder);
        // Only a row that is rarely active: neither loss nor gradient need see it.
        var poison = new PoisonAfter(2, () => method.Matrices[1].Rows.SecondMoments.Row(0)[0] = float.NaN);
        var error = Should.Throw<NonFiniteException>(() => new Trainer(tiny.Create(method, checkpointEvery: 2), run, poison).Run(cancellation: TestContext.Current.CancellationToken));
        error.Message.ShouldContain("layers.1.values");
        run.Checkpoints.Steps.ShouldBeEmpty();
    }

    [Fact]
    public void A_damaged_checkpoint_is_passed_over_for_an_older_one()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var run = NewRun(folder);
        new Trainer(tiny.Create(method, checkpointEvery: 3), run).Run(cancellation: TestContext.Current.CancellationToken);
        Directory.CreateDirectory(folder.File("run/checkpoints/step-000020"));
        folder.Write("run/checkpoints/step-000012/manifest.json", "{}");
        var remarks = new List<string>();
        run.Checkpoints.LoadNewest(method, remarks.Add).ShouldBe(9);
        remarks[0].ShouldContain("step-000020");
        remarks[1].ShouldContain("12");
        folder.Write("run/checkpoints/step-000009/manifest.json", "{}");
        Should.Throw<InvalidInputException>(() => run.Checkpoints.LoadNewest(method, remarks.Add)).Message.ShouldContain("step-000012");
    }

    [Fact]
    public void Only_the_newest_checkpoints_stay_and_incomplete_ones_are_named_and_never_loaded()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var run = NewRun(folder);
        new Trainer(tiny.Create(method, checkpointEvery: 3), run).Run(cancellation: TestContext.Current.CancellationToken);
        run.Checkpoints.Steps.ShouldBe([9, 12]);

        Directory.CreateDirectory(folder.File("run/checkpoints/step-000020"));
        run.Checkpoints.Incomplete.ShouldBe(["step-000020"]);
        run.Checkpoints.Steps.ShouldBe([9, 12]);
        Should.Throw<InvalidInputException>(() => run.Checkpoints.Load(20, method)).Message.ShouldContain("incomplete");

        using (var state = File.OpenWrite(folder.File("run/checkpoints/step-000012/state.safetensors"))) state.SetLength(state.Length - 1);
        Should.Throw<InvalidInputException>(() => run.Checkpoints.Load(12, method)).Message.ShouldContain("bytes");
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_leaves_the_older_ones_and_nothing_half_written()
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var run = NewRun(folder);
        run.Checkpoints.Save(1, method);
        // A folder where the state file should go: the write fails as a full disk would make it fail.
        Directory.CreateDirectory(folder.File("run/checkpoints/step-000002/state.safetensors/in-the-way"));
        Should.Throw<RunFailedException>(() => run.Checkpoints.Save(2, method));
        run.Checkpoints.Steps.ShouldBe([1]);
        Directory.Exists(folder.File("run/checkpoints/step-000002")).ShouldBeFalse();
    }

    [Theory]
    [InlineData(MethodKind.Meft)]
    [InlineData(MethodKind.Full)]
    public void A_step_leaves_no_tensor_behind(MethodKind kind)
    {
        using var tiny = new TinyTask();
        using ITrainedMethod method = kind == MethodKind.Full ? new FullMethod(tiny.Decoder) : TinyTask.NewMethod();
        var live = new List<long>();
        var seen = new Recorder { OnStep = () => live.Add(DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount) };
        new Trainer(tiny.Create(method, steps: 30), null, seen).Run(cancellation: TestContext.Current.CancellationToken);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        (live[^1] - live[9]).ShouldBeLessThanOrEqualTo(0);
    }

    private static RunFolder NewRun(TemporaryFolder folder) => RunFolder.Open(
        new RunConfig
        {
            Model = folder.File("model"),
            Output = folder.File("run"),
            Data = new DataConfig { Train = [folder.File("rows.jsonl")] },
        }, ExistingRun.Refuse);

    private sealed class Restore(Action action) : IDisposable
    {
        public void Dispose() => action();
    }

    private class Recorder : ITrainingObserver
    {
        public List<StepMetrics> Steps { get; } = [];

        public Action? OnStep { get; init; }

        public void Started(int fromStep, int totalSteps)
        {
        }

        public void Remarked(string text)
        {
        }

        public virtual void StepTaken(StepMetrics metrics)
        {
            Steps.Add(metrics);
            OnStep?.Invoke();
        }

        public void Evaluated(int step, double loss)
        {
        }

        public void CheckpointSaved(int step, string folder)
        {
        }
    }

    private sealed class StopAfter(int step, CancellationTokenSource stop) : Recorder
    {
        public override void StepTaken(StepMetrics metrics)
        {
            base.StepTaken(metrics);
            if (metrics.Step == step) stop.Cancel();
        }
    }

    private sealed class PoisonAfter(int step, Action poison) : Recorder
    {
        public override void StepTaken(StepMetrics metrics)
        {
            base.StepTaken(metrics);
            if (metrics.Step == step) poison();
        }
    }
}
