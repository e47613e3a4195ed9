using Meft.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Devices.Cuda;
using Meft.Memory;
using Meft.Models;
using Meft.Native;
using Meft.Tests.Devices.Cuda;
using Meft.Tests.Models;
using Meft.Tests.Training;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters;

public class OverlappedCallTests
{
    private static readonly int[] Lengths = [4, 7];

    public static TheoryData<ExecutionKind, bool> Cases => new(
        from execution in Executions.Both
        from needed in new[] { true, false }
        select (execution, needed));

    public static TheoryData<ExecutionKind> BothExecutions => [.. Executions.Both];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gives_what_one_call_gives(ExecutionKind execution, bool gradientBelow)
    {
        using var scope = NewDisposeScope();
        using var tiny = new TinyTask();
        using SparseAdapter plain = Adapter(), overlapped = Adapter();
        plain.RunOn(execution, CPU, null);
        overlapped.RunOn(execution, new CudaLink(CPU, new FakeCudaRuntime(), null), null);
        (plain.Overlaps, overlapped.Overlaps).ShouldBe((false, true));
        var expected = Run(tiny.Decoder, plain, plain, gradientBelow);
        var actual = Run(tiny.Decoder, overlapped, overlapped, gradientBelow);
        actual.Y.equal(expected.Y).all().item<bool>().ShouldBeTrue();
        actual.Gradients.Count.ShouldBe(expected.Gradients.Count);
        foreach (var (have, want) in actual.Gradients.Zip(expected.Gradients))
        {
            want.norm().item<float>().ShouldBeGreaterThan(0);
            TorchTest.RelativeError(have, want).ShouldBeLessThanOrEqualTo(1e-6);
        }
    }

    [Fact]
    public void Copies_begin_before_the_block_and_are_waited_for_after_it_forward_and_backward()
    {
        using var scope = NewDisposeScope();
        using var tiny = new TinyTask();
        using var adapter = Adapter([1]);
        var events = new List<string>();
        adapter.RunOn(ExecutionKind.Activations, new RecordingLink(events), null);
        Run(tiny.Decoder, adapter, new WatchedAdapter(adapter, events), gradientBelow: true);
        events.ShouldBe([
            "copy begins", "block", "host reads", "sent", // x, y
            "copy begins", "block's backward", "host reads", "sent", // dy, dx
        ]);
    }

    [Fact]
    public void The_lowest_adapted_layer_has_no_backward_of_the_block_and_its_own_all_the_same()
    {
        using var scope = NewDisposeScope();
        using var tiny = new TinyTask();
        using var adapter = Adapter([1]);
        var events = new List<string>();
        adapter.RunOn(ExecutionKind.Activations, new RecordingLink(events), null);
        Run(tiny.Decoder, adapter, new WatchedAdapter(adapter, events), gradientBelow: false);
        events.ShouldBe(["copy begins", "block", "host reads", "sent", "copy begins", "host reads", "sent"]);
    }

    [Fact]
    public void Rows_are_sent_after_the_block_forward_and_backward()
    {
        using var scope = NewDisposeScope();
        using var tiny = new TinyTask();
        using var adapter = Adapter([1]);
        var events = new List<string>();
        adapter.RunOn(ExecutionKind.Rows, new RecordingLink(events), null);
        Run(tiny.Decoder, adapter, new WatchedAdapter(adapter, events), gradientBelow: true);
        events.ShouldBe([
            "copy begins", "block", "host reads", "sent", "sent", "sent", // x; the selection, V
            "block's backward", "sent", "sent", "sent", "sent", // the selection, K and V
            "copy begins", "copy begins", "copy begins", "host reads", "sent", "host reads", "host reads", // dc, dK, dV; the gate's share of dx
        ]);
    }

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void Recompute_takes_the_remembered_selection_gives_the_same_bits_and_moves_as_much_as_one_call(ExecutionKind execution)
    {
        using var tiny = new TinyTask();
        var (plain, overlapped) = (new MemoryLedger(), new MemoryLedger());
        var runtime = new FakeCudaRuntime(new Random(1));
        var recomputed = Train(tiny.Decoder, execution, recompute: true, overlapped, runtime);
        recomputed.ShouldBe(Train(tiny.Decoder, execution, recompute: false, new MemoryLedger(), new FakeCudaRuntime()));
        Train(tiny.Decoder, execution, recompute: true, plain, null);
        overlapped.ToHostByCause.ShouldBe(plain.ToHostByCause, ignoreOrder: true);
        overlapped.ToDeviceByCause.ShouldBe(plain.ToDeviceByCause, ignoreOrder: true);
        runtime.Violations.ShouldBeEmpty();
        runtime.LiveHandles.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void No_tensor_is_left_behind(ExecutionKind execution)
    {
        using var tiny = new TinyTask();
        using var method = Method(execution);
        var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger(), recompute: true);
        method.Sparse.RunOn(execution, new CudaLink(CPU, new FakeCudaRuntime(), null), null);
        var step = 0;
        TinyDecoder.LiveTensorsAdded(() => runner.Run([TinyTask.Rows(4)], 1e-3, ++step)).ShouldBe(0);
    }

    [Fact]
    public void A_backward_that_fails_is_thrown_when_autograd_has_returned()
    {
        using var scope = NewDisposeScope();
        using var tiny = new TinyTask();
        using var adapter = Adapter([1]);
        var link = new RecordingLink([]);
        adapter.RunOn(ExecutionKind.Activations, link, null);
        Run(tiny.Decoder, adapter, adapter, gradientBelow: true, () => link.Failure = new RunFailedException("the card is gone"));
        Should.Throw<RunFailedException>(adapter.ThrowIfBackwardFailed).Problem.ShouldBe("the card is gone");
        adapter.ThrowIfBackwardFailed();
    }

    [Fact]
    public void A_budget_that_a_call_would_exceed_stops_it_before_and_everything_is_given_back()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var adapter = Adapter([1]);
        var (runtime, ledger) = (new FakeCudaRuntime(), new MemoryLedger(deviceBudget: 10));
        adapter.RunOn(ExecutionKind.Activations, new CudaLink(CPU, runtime, ledger), ledger);
        Should.Throw<RunFailedException>(() => adapter.Begin(1, ones(3, TinyTask.Config.HiddenSize))).Message.ShouldStartWith("budget.device: ");
        ledger.DeviceBytes.ShouldBe(0);
        adapter.Dispose();
        runtime.LiveHandles.ShouldBe(0);
    }

    private static (Tensor Y, List<Tensor> Gradients) Run(
        Decoder decoder, SparseAdapter adapter, IDecoderAdapter beside, bool gradientBelow, Action? beforeBackward = null)
    {
        using var layout = TokenLayout.FromLengths(Lengths, CPU);
        var ids = ScalarOperations.Counting(Lengths.Sum(), int64);
        var h = decoder.Embed(ids).detach().requires_grad_(gradientBelow);
        var y = h;
        for (var layer = 0; layer < decoder.Config.LayerCount; layer++) y = decoder.ForwardLayer(layer, y, layout, adapter: beside);
        beforeBackward?.Invoke();
        using var generator = new Generator(4);
        y.backward([randn(y.shape, generator: generator)]);
        var gradients = adapter.Stores.SelectMany(s => new[]
        {
            FastLayer.Matrix(s.Value.RowGradients.Keys).narrow(0, 0, s.Value.RowGradients.TouchedRows.Length),
            FastLayer.Matrix(s.Value.RowGradients.Values).narrow(0, 0, s.Value.RowGradients.TouchedRows.Length),
            FastLayer.Matrix(s.Value.GateGradient),
        }).ToList();
        if (gradientBelow) gradients.Add(h.grad!);
        return (y.detach(), gradients);
    }

    private static float[] Train(Decoder decoder, ExecutionKind execution, bool recompute, MemoryLedger ledger, FakeCudaRuntime? runtime)
    {
        using var method = Method(execution);
        var runner = new StepRunner(decoder, method, new OptimizerConfig(), ledger, recompute);
        if (runtime is not null) method.Sparse.RunOn(execution, new CudaLink(CPU, runtime, ledger), ledger);
        for (var step = 1; step <= 3; step++) runner.Run([TinyTask.Rows(5, seed: step)], 0.01, step);
        return TinyTask.Bits(method);
    }

    private static SparseAdapterMethod Method(ExecutionKind execution) => new(Adapter(), OptimizerRows.Touched, TinyTask.Identity, execution);

    /// <summary>Values that are not zero, so that y and dK are not.</summary>
    private static SparseAdapter Adapter(IReadOnlyList<int>? layers = null)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(8);
        var adapter = new SparseAdapter(TinyTask.Spec with { Layers = layers ?? TinyTask.Spec.Layers }).Initialize(seed: 3);
        foreach (var (_, store) in adapter.Stores)
            FastLayer.Fill(store.Values.Weights, randn([store.Values.Weights.Rows, store.Values.Weights.Dimension], generator: generator));
        return adapter;
    }
}
