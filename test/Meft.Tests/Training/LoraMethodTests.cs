using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Kernels;
using Meft.Memory;
using Meft.Tests.Models;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Shouldly;
using TorchSharp;

namespace Meft.Tests.Training;

public class LoraMethodTests
{
    private static readonly BatchConfig Batch = new() { Size = 3, Accumulate = 2 };

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0.3)]
    public void A_run_that_goes_on_from_a_checkpoint_has_the_same_bits_as_a_straight_one(int threads, double dropout)
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        var before = KernelThreads.Count;
        try
        {
            KernelThreads.Count = threads;
            using var straight = TinyTask.NewLora(dropout);
            new Trainer(tiny.Create(straight, Batch)).Run(cancellation: TestContext.Current.CancellationToken);

            var run = RunFolder.Open(
                new RunConfig { Model = "m", Output = folder.File("run"), Data = new DataConfig { Train = ["rows.jsonl"] } }, ExistingRun.Refuse);
            using (var first = TinyTask.NewLora(dropout))
                new Trainer(tiny.Create(first, Batch, checkpointEvery: 5), run).Run(cancellation: TestContext.Current.CancellationToken);
            using var resumed = TinyTask.NewLora(dropout);
            run.Checkpoints.Load(10, resumed);
            new Trainer(tiny.Create(resumed, Batch)).Run(fromStep: 10, TestContext.Current.CancellationToken).Steps.ShouldBe(12);
            TinyTask.Bits(resumed).ShouldBe(TinyTask.Bits(straight));
        }
        finally
        {
            KernelThreads.Count = before;
        }
    }

    [Fact]
    public void The_loss_falls_and_the_base_keeps_its_bits()
    {
        using var tiny = new TinyTask();
        var before = tiny.Decoder.Parameters.ToDictionary(p => p.Key, p => p.Value.clone());
        using var method = TinyTask.NewLora();
        var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger());
        IReadOnlyList<TokenRow> rows = TinyTask.Rows(6);
        var losses = Enumerable.Range(1, 60).Select(step => runner.Run([rows], 0.02, step).Loss).ToList();
        losses[^1].ShouldBeLessThan(0.8 * losses[0]);
        foreach (var (name, tensor) in before) tensor.equal(tiny.Decoder.Parameters[name]).all().item<bool>().ShouldBeTrue(name);
    }

    [Fact]
    public void A_micro_batch_computes_the_same_as_often_as_it_is_run_and_the_next_one_does_not()
    {
        using var scope = torch.NewDisposeScope();
        using var tiny = new TinyTask();
        using var method = TinyTask.NewLora(dropout: 0.3);
        var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger());
        IReadOnlyList<TokenRow> rows = TinyTask.Rows(4);
        runner.Run([rows], 0.1, 1); // so that B is not zero

        torch.Tensor Hidden(bool gradients)
        {
            using var mode = torch.set_grad_enabled(gradients);
            using var layout = Meft.Models.TokenLayout.FromLengths([6], torch.CPU);
            return tiny.Decoder.Forward(torch.tensor(new long[] { 1, 2, 3, 4, 5, 6 }), layout, adapter: method.Adapter).detach();
        }
        var evaluated = Hidden(false);
        method.StartMicroBatch(2, 0);
        var first = Hidden(false);
        TinyModel.Same(Hidden(true), first).ShouldBeTrue();
        TinyModel.Same(first, evaluated).ShouldBeFalse();
        method.StartMicroBatch(2, 1);
        TinyModel.Same(Hidden(true), first).ShouldBeFalse();
        method.StartMicroBatch(2, 0);
        TinyModel.Same(Hidden(true), first).ShouldBeTrue();
        method.ClearGradients();
        TinyModel.Same(Hidden(false), evaluated).ShouldBeTrue();
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewLora(dropout: 0.1);
        var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger());
        IReadOnlyList<TokenRow> rows = TinyTask.Rows(4);
        var step = 0;
        TinyDecoder.LiveTensorsAdded(() => runner.Run([rows, rows], 0.01, ++step)).ShouldBe(0);
    }

    [Fact]
    public void Only_the_adapter_is_counted()
    {
        using var method = TinyTask.NewLora();
        const long parameters = 2 * 4 * (16 + 16 + 16 + 8);
        method.ParameterCount.ShouldBe(parameters);
        method.DeviceByteCount.ShouldBe(2 * 4 * parameters);
        method.HostByteCount.ShouldBe(4 * 4 * parameters);
        double.IsNaN(method.ActiveRows).ShouldBeTrue();
    }
}
