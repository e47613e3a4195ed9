using Meft.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Memory;
using Meft.Models;
using Meft.Tests.Adapters;
using Meft.Tests.Models;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Training;

public class LayerTapeTests
{
    private const int Steps = 4;

    public static TheoryData<ExecutionKind> BothExecutions => [.. Executions.Both];

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void Recomputed_activations_give_the_same_bits(ExecutionKind execution)
    {
        using var tiny = new TinyTask();
        Train(tiny.Decoder, Sparse(execution), recompute: true).ShouldBe(Train(tiny.Decoder, Sparse(execution), recompute: false));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    public void Recomputed_activations_give_the_same_bits_in_bfloat16_however_few_tokens_there_are(int rows)
    {
        using var decoder = Decoder.Initialize(TinyTask.Config, seed: 7, CPU, ScalarType.BFloat16);
        float[] Bits(bool recompute) => Train(decoder, Sparse(ExecutionKind.Activations, [0, 1, 2]), recompute, rows: TinyTask.Rows(rows));
        Bits(recompute: true).ShouldBe(Bits(recompute: false));
    }

    [Fact]
    public void Recomputed_activations_give_the_same_bits_for_a_dense_adapter_and_for_the_base_itself()
    {
        using var tiny = new TinyTask();
        Train(tiny.Decoder, Parallel(), recompute: true).ShouldBe(Train(tiny.Decoder, Parallel(), recompute: false));
        using var again = new TinyTask();
        Train(again.Decoder, new FullMethod(again.Decoder), recompute: true).ShouldBe(Train(tiny.Decoder, new FullMethod(tiny.Decoder), recompute: false));
    }

    [Fact]
    public void Recompute_and_rows_that_travel_leave_no_tensor_behind()
    {
        using var tiny = new TinyTask();
        using var method = Sparse(ExecutionKind.Rows);
        var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger(), recompute: true);
        var step = 0;
        TinyDecoder.LiveTensorsAdded(() => runner.Run([TinyTask.Rows(4)], 1e-3, ++step)).ShouldBe(0);
    }

    [Fact]
    public void Recompute_selects_once_for_both_passes_and_keeps_only_the_layers_inputs()
    {
        using var tiny = new TinyTask();
        var rows = TinyTask.Rows(6);
        var tokens = rows.Sum(r => r.Length);
        long activations = tokens * TinyTask.Config.HiddenSize * sizeof(float);
        var (kept, recomputed) = (new MemoryLedger(), new MemoryLedger());
        Train(tiny.Decoder, Sparse(ExecutionKind.Activations, [0, 1, 2]), recompute: false, kept, rows);
        Train(tiny.Decoder, Sparse(ExecutionKind.Activations, [0, 1, 2]), recompute: true, recomputed, rows);

        // x comes to the host once; y goes to the device once more.
        recomputed.DeviceToHostBytes.ShouldBe(kept.DeviceToHostBytes);
        recomputed.HostToDeviceBytes.ShouldBe(kept.HostToDeviceBytes + 3 * activations);
        recomputed.DeviceMostByCause[DeviceUse.LayerActivations].ShouldBe(kept.DeviceMostByCause[DeviceUse.LayerActivations] / 2); // of the two above the lowest one at a time
    }

    [Fact]
    public void Below_the_first_adapted_layer_no_gradient_is_computed_and_nothing_kept()
    {
        using var tiny = new TinyTask();
        var (all, last) = (new MemoryLedger(), new MemoryLedger());
        var rows = TinyTask.Rows(6);
        Train(tiny.Decoder, Sparse(ExecutionKind.Activations, [0, 1, 2]), recompute: false, all, rows);
        Train(tiny.Decoder, Sparse(ExecutionKind.Activations, [2]), recompute: false, last, rows);
        // In the lowest adapted layer itself nothing but the adapter is recorded.
        all.DeviceMostByCause[DeviceUse.LayerActivations].ShouldBeGreaterThan(0);
        last.DeviceMostByCause[DeviceUse.LayerActivations].ShouldBe(0);
        last.DeviceMostByCause[DeviceUse.HiddenStates].ShouldBe(all.DeviceMostByCause[DeviceUse.HiddenStates] * 4 / 6);
    }

    [Fact]
    public void A_budget_that_would_be_exceeded_stops_the_step_before_and_names_the_cause()
    {
        using var tiny = new TinyTask();
        var ledger = new MemoryLedger();
        using (var method = Sparse(ExecutionKind.Activations)) Step(tiny.Decoder, method, ledger, TinyTask.Rows(8));
        var tooLittle = new MemoryLedger(ledger.DeviceBytesPeak - 1);
        using var budgeted = Sparse(ExecutionKind.Activations);
        var before = TinyTask.Bits(budgeted);
        var error = Should.Throw<RunFailedException>(() => Step(tiny.Decoder, budgeted, tooLittle, TinyTask.Rows(8)));
        error.Message.ShouldStartWith("budget.device: ");
        tooLittle.DeviceByCause.Keys.Select(use => use.Name).ShouldContain(name => error.Message.Contains(name, StringComparison.Ordinal));
        error.NextStep.ShouldNotBeNullOrEmpty();
        TinyTask.Bits(budgeted).ShouldBe(before);
        // What was held for the step has been given back.
        tooLittle.DeviceBytes.ShouldBe(ledger.DeviceBytes);
    }

    private static float[] Train(
        Decoder decoder, ITrainedMethod method, bool recompute, MemoryLedger? ledger = null, IReadOnlyList<TokenRow>? rows = null)
    {
        using var owned = method;
        var runner = new StepRunner(decoder, method, new OptimizerConfig { WeightDecay = 0.01 }, ledger ?? new MemoryLedger(), recompute);
        for (var step = 1; step <= Steps; step++) runner.Run([rows ?? TinyTask.Rows(5, seed: step)], 0.01, step);
        decoder.SetTrainable(false);
        return TinyTask.Bits(method);
    }

    private static void Step(Decoder decoder, ITrainedMethod method, MemoryLedger ledger, IReadOnlyList<TokenRow> rows) =>
        new StepRunner(decoder, method, new OptimizerConfig(), ledger).Run([rows], 1e-3, 1);

    private static SparseAdapterMethod Sparse(ExecutionKind execution, IReadOnlyList<int>? layers = null) => new(
        new SparseAdapter(TinyTask.Spec with { Layers = layers ?? TinyTask.Spec.Layers }).Initialize(seed: 3), OptimizerRows.Touched, TinyTask.Identity, execution);

    private static ParallelMethod Parallel() =>
        new(new DenseParallelAdapter(TinyTask.Spec with { Experts = 0, Probe = 0, TopK = 0 }, seed: 3, CPU), TinyTask.Identity);
}
