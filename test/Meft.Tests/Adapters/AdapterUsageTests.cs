using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Metrics;
using Meft.Kernels;
using Meft.Memory;
using Meft.Tests.Training;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Adapters;

public class AdapterUsageTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_counts_every_token_once_a_probe_and_the_rows_it_touches(bool recompute)
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var counter = new Forwarding(method);
        var runner = new StepRunner(tiny.Decoder, counter, new OptimizerConfig(), new MemoryLedger(null), recompute);
        var rows = TinyTask.Rows(6);
        runner.Run([rows[..3], rows[3..]], 0.01, 1);

        var load = method.Usage!.Take(1, 1);
        var tokens = rows.Sum(r => r.Length);
        (load.FromStep, load.Step, load.Tokens).ShouldBe((1, 1, tokens));
        load.Layers.Select(l => l.Layer).ShouldBe([1, 2]);
        foreach (var (layer, touched) in load.Layers.Zip(counter.Touched))
        {
            layer.ExpertTokens.Count.ShouldBe(TinyTask.Spec.Experts);
            layer.ExpertTokens.Sum().ShouldBe(tokens * TinyTask.Spec.Probe);
            layer.UsedRows.ShouldBe(touched);
            layer.DeadRows.ShouldBe(TinyTask.Spec.Rank - touched);
            layer.ActiveRows.ShouldBeInRange(touched / 2.0 / TinyTask.Spec.Rank, (double)touched / TinyTask.Spec.Rank);
        }
    }

    [Fact]
    public void A_step_that_is_not_taken_and_what_runs_between_steps_is_not_counted()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger(null));
        new Meft.Evaluation.SequenceScorer(tiny.Decoder, method.Adapter, new MemoryLedger(null))
            .Score([.. TinyTask.Rows(3).Select(r => new Meft.Evaluation.ScoredRow(r.InputIds, r.Labels))]);

        var values = method.Sparse.Stores.First().Value.Values.Weights;
        for (var row = 0; row < values.Rows; row++) values.Row(row).Fill(float.NaN);
        Should.Throw<NonFiniteException>(() => runner.Run([TinyTask.Rows(20)], 0.01, 1));

        var load = method.Usage!.Take(1, 1);
        load.Tokens.ShouldBe(0);
        load.Layers.ShouldAllBe(l => l.ExpertTokens.Sum() == 0 && l.UsedRows == 0 && double.IsNaN(l.ActiveRows) && l.DeadRows == TinyTask.Spec.Rank);
    }

    [Fact]
    public void Counts_are_the_same_at_any_number_of_threads()
    {
        var before = KernelThreads.Count;
        try
        {
            var loads = new[] { 1, 2 }.Select(threads =>
            {
                KernelThreads.Count = threads;
                using var tiny = new TinyTask();
                using var method = TinyTask.NewMethod();
                new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger(null)).Run([TinyTask.Rows(20)], 0.01, 1);
                return method.Usage!.Take(1, 1).Layers.SelectMany(l => l.ExpertTokens.Append(l.UsedRows).Append(l.DeadRows)).ToList();
            }).ToList();
            loads[1].ShouldBe(loads[0]);
        }
        finally
        {
            KernelThreads.Count = before;
        }
    }

    [Fact]
    public void Windows_add_up_and_dead_neurons_are_known_after_a_resume()
    {
        using var tiny = new TinyTask();
        using var whole = TinyTask.NewMethod();
        using var cut = TinyTask.NewMethod();
        var windows = new List<ExpertLoad>();
        foreach (var method in new[] { whole, cut })
        {
            var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger(null));
            for (var step = 1; step <= 4; step++)
            {
                runner.Run([TinyTask.Rows(4, seed: step)], 0.01, step);
                if (method == cut) windows.Add(method.Usage!.Take(step, step));
            }
        }
        var once = whole.Usage!.Take(1, 4);
        windows.Sum(w => w.Tokens).ShouldBe(once.Tokens);
        for (var l = 0; l < once.Layers.Count; l++)
        {
            for (var e = 0; e < TinyTask.Spec.Experts; e++) windows.Sum(w => w.Layers[l].ExpertTokens[e]).ShouldBe(once.Layers[l].ExpertTokens[e]);
            windows[^1].Layers[l].DeadRows.ShouldBe(once.Layers[l].DeadRows);
        }

        // A method with no past, as after a resume.
        using var resumed = TinyTask.NewMethod();
        resumed.Usage!.Restore(whole.Usage.Ever());
        resumed.Usage.Take(5, 5).Layers.Select(l => l.DeadRows).ShouldBe(once.Layers.Select(l => l.DeadRows));
        resumed.Usage.Ever().ShouldBe(whole.Usage.Ever());
    }

    [Fact]
    public void Bits_are_the_same_with_and_without_counting()
    {
        var bits = new[] { true, false }.Select(counts =>
        {
            using var tiny = new TinyTask();
            using var method = TinyTask.NewMethod();
            var runner = new StepRunner(tiny.Decoder, new Forwarding(method) { Counts = counts }, new OptimizerConfig(), new MemoryLedger(null));
            for (var step = 1; step <= 3; step++) runner.Run([TinyTask.Rows(4, seed: step)], 0.01, step);
            (method.Usage!.Take(1, 3).Tokens > 0).ShouldBe(counts);
            return TinyTask.Bits(method);
        }).ToList();
        bits[1].ShouldBe(bits[0]);
    }

    [Fact]
    public void A_resumed_run_knows_the_dead_neurons_from_its_checkpoint()
    {
        using var tiny = new TinyTask();
        using var folder = new TemporaryFolder();
        var run = RunFolder.Open(
            new RunConfig { Model = "m", Output = folder.File("run"), Data = new DataConfig { Train = ["rows.jsonl"] } }, ExistingRun.Refuse);
        using var whole = TinyTask.NewMethod();
        TrainingTask Task(SparseAdapterMethod method) => tiny.Create(method, steps: 2, checkpointEvery: 1) with { Validation = [] };
        new Trainer(Task(whole), run).Run(cancellation: TestContext.Current.CancellationToken);

        using var resumed = TinyTask.NewMethod();
        run.Checkpoints.Load(1, resumed);
        new Trainer(Task(resumed), run).Run(1, run.Checkpoints.ProgressAt(1), TestContext.Current.CancellationToken);
        var (there, here) = (whole.Usage!.Take(1, 2).Layers, resumed.Usage!.Take(2, 2).Layers);
        here.Select(l => l.DeadRows).ShouldBe(there.Select(l => l.DeadRows));
        here.ShouldAllBe(l => l.DeadRows < l.Rank - l.UsedRows); // step 1 is in it
    }

    [Fact]
    public void A_neuron_that_is_active_only_where_there_is_no_gradient_is_not_dead()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod();
        var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger(null));
        // Nothing depends on what the last layer makes of tokens behind the only trained one.
        var row = TinyTask.Rows(1)[0];
        runner.Run([[row with { Labels = [.. row.Labels.Select((label, i) => i == 1 ? row.InputIds[1] : TokenRow.Ignored)] }]], 0.01, 1);

        var last = method.Sparse.Stores.Last();
        var withMoments = Enumerable.Range(0, TinyTask.Spec.Rank).Count(r => last.Value.Values.SecondMoments.Row(r).ContainsAnyExcept(0f));
        var load = method.Usage!.Take(1, 1).Layers[^1];
        load.DeadRows.ShouldBe(TinyTask.Spec.Rank - load.UsedRows);
        load.UsedRows.ShouldBeGreaterThan(withMoments);

        // Where a checkpoint does not say which were active, those with a moment are known to have been.
        method.Usage.Restore(null);
        method.Usage.Take(2, 1).Layers[^1].DeadRows.ShouldBe(TinyTask.Spec.Rank - withMoments);
    }

    /// <summary>Notes, at the update, how many rows of each layer are touched.</summary>
    private sealed class Forwarding(SparseAdapterMethod method) : ITrainedMethod
    {
        public List<int> Touched { get; } = [];

        public bool Counts { get; init; } = true;

        public Meft.Models.IDecoderAdapter? Adapter => method.Adapter;

        public long ParameterCount => method.ParameterCount;

        public long HostByteCount => method.HostByteCount;

        public long DeviceByteCount => method.DeviceByteCount;

        public double ActiveRows => method.ActiveRows;

        public IReadOnlyList<Meft.Host.TrainedMatrix> Matrices => method.Matrices;

        public void RunOn(TorchSharp.torch.Device device, MemoryLedger ledger) => method.RunOn(device, ledger);

        public void StartMicroBatch(long step, int microBatch)
        {
            if (Counts) method.StartMicroBatch(step, microBatch); // it draws nothing: all it does is to count
        }

        public void ThrowIfBackwardFailed() => method.ThrowIfBackwardFailed();

        public double SquaredGradientNorm() => method.SquaredGradientNorm();

        public IReadOnlyList<string> NonFiniteGradients() => method.NonFiniteGradients();

        public void Update(in AdamWStep step)
        {
            Touched.AddRange(method.Sparse.Stores.Select(s => s.Value.RowGradients.TouchedRows.Length));
            method.Update(step);
        }

        public void ClearGradients() => method.ClearGradients();

        public void ApplyMasters() => method.ApplyMasters();

        public void SaveResult(string folder) => method.SaveResult(folder);

        public void Dispose() => method.Dispose();
    }
}
