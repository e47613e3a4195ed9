using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Memory;
using Meft.Training;
using Shouldly;

namespace Meft.Tests.Training;

/// <summary>The claim of the method: what the device holds, and what crosses to it, does not follow the adapter's size.</summary>
public class DeviceMemoryTests
{
    private const int TopK = 6;

    public static TheoryData<ExecutionKind> BothExecutions => [.. Adapters.Executions.Both];

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void Nothing_of_the_adapters_size_is_on_the_device(ExecutionKind execution)
    {
        var (small, large) = (Train(1_024, execution), Train(65_536, execution));
        var tokens = Rows.Sum(r => r.Length);
        var hidden = TinyTask.Config.HiddenSize;
        foreach (var run in new[] { small, large })
        {
            // The active rows, their gradients, the selection, and matrices of tokens by active rows.
            var union = Math.Min(run.Rank, (long)tokens * TopK);
            var rowsBound = sizeof(float) * ((4 * union * hidden) + (6L * tokens * TopK) + (3 * tokens * union) + (tokens * hidden));
            var bound = execution == ExecutionKind.Activations ? sizeof(float) * (long)tokens * hidden : rowsBound;
            run.Ledger.DeviceMostByCause.GetValueOrDefault(DeviceUse.AdapterWorkingSet).ShouldBeLessThanOrEqualTo(bound);
            run.Ledger.DeviceMostByCause.Keys.ShouldBeSubsetOf(
                [DeviceUse.BaseWeights, DeviceUse.TrainedTensors, DeviceUse.HiddenStates, DeviceUse.LayerActivations, DeviceUse.AdapterWorkingSet, DeviceUse.Logits]);
            run.Ledger.DeviceMostByCause[DeviceUse.TrainedTensors].ShouldBe(0);
        }
        large.Ledger.DeviceBytesPeak.ShouldBeLessThan(65_536L * hidden * sizeof(float));
        if (execution == ExecutionKind.Activations) large.Ledger.DeviceBytesPeak.ShouldBe(small.Ledger.DeviceBytesPeak);
    }

    [Fact]
    public void Activations_that_travel_cross_four_times_a_layer()
    {
        var run = Train(1_024, ExecutionKind.Activations);
        long once = Rows.Sum(r => r.Length) * TinyTask.Config.HiddenSize * sizeof(float);
        run.Ledger.ToHostByCause.ShouldBe(new Dictionary<LinkUse, long> { [LinkUse.Activations] = 2 * 2 * once });
        run.Ledger.ToDeviceByCause.ShouldBe(new Dictionary<LinkUse, long> { [LinkUse.Activations] = 2 * 2 * once });
    }

    [Fact]
    public void Rows_that_travel_cross_as_the_measured_union_says()
    {
        var run = Train(1_024, ExecutionKind.Rows);
        long tokens = Rows.Sum(r => r.Length), hidden = TinyTask.Config.HiddenSize, union = run.Unions.Sum(), layers = run.Unions.Count;
        // V in the forward pass, K and V in the backward; the scores that K is for come with the selection.
        run.Ledger.ToDeviceByCause[LinkUse.Rows].ShouldBe(3 * union * hidden * sizeof(float));
        run.Ledger.ToHostByCause[LinkUse.RowGradients].ShouldBe(2 * union * hidden * sizeof(float));
        // x to the host, the gate's share of dx back.
        run.Ledger.ToHostByCause[LinkUse.Activations].ShouldBe(layers * tokens * hidden * sizeof(float));
        run.Ledger.ToDeviceByCause[LinkUse.Activations].ShouldBe(layers * tokens * hidden * sizeof(float));
        run.Ledger.ToHostByCause[LinkUse.Selection].ShouldBe(layers * tokens * Probe * sizeof(float));
        // Nothing else, and all of it what the plan goes by.
        var sizes = new LinkSizes(hidden, sizeof(float), run.Rank, 4 * (int)Math.Sqrt(run.Rank), Probe, TopK);
        var entries = run.Ledger.ToDeviceByCause[LinkUse.Selection] / (LinkTraffic.ForwardEntryBytes + LinkTraffic.BackwardEntryBytes);
        run.Ledger.HostToDeviceBytes.ShouldBe(run.Unions.Sum(u => LinkTraffic.OfRows(sizes, tokens, u, 0).ToDevice)
            + (entries * (LinkTraffic.ForwardEntryBytes + LinkTraffic.BackwardEntryBytes)));
        run.Ledger.DeviceToHostBytes.ShouldBe(run.Unions.Sum(u => LinkTraffic.OfRows(sizes, tokens, u, 0).ToHost));
    }

    [Fact]
    public void With_recompute_rows_cross_as_often_for_values_are_kept_from_the_second_forward()
    {
        var (once, twice) = (Train(1_024, ExecutionKind.Rows), Train(1_024, ExecutionKind.Rows, recompute: true));
        twice.Unions.ShouldBe(once.Unions);
        twice.Ledger.ToDeviceByCause[LinkUse.Rows].ShouldBe(once.Ledger.ToDeviceByCause[LinkUse.Rows]);
        twice.Ledger.ToHostByCause.ShouldBe(once.Ledger.ToHostByCause);
        twice.Ledger.ToDeviceByCause[LinkUse.Selection].ShouldBe(once.Ledger.ToDeviceByCause[LinkUse.Selection] * 4 / 3);
        twice.Ledger.DeviceByCause[DeviceUse.AdapterWorkingSet].ShouldBe(0);
    }

    private const int Probe = 2;

    private static List<Core.Data.TokenRow> Rows { get; } = TinyTask.Rows(6);

    private static (int Rank, MemoryLedger Ledger, IReadOnlyList<int> Unions) Train(
        int rank, ExecutionKind execution, bool recompute = false)
    {
        using var tiny = new TinyTask();
        var spec = new SparseAdapterSpec(rank, TinyTask.Config.HiddenSize, 4 * (int)Math.Sqrt(rank), Probe, TopK, GateKind.Linear, [1, 2]);
        var adapter = new SparseAdapter(spec).Initialize(seed: 3);
        using var method = new SparseAdapterMethod(adapter, OptimizerRows.Touched, TinyTask.Identity, execution);
        var ledger = new MemoryLedger();
        new StepRunner(tiny.Decoder, method, new OptimizerConfig(), ledger, recompute).Run([Rows], 1e-3, 1);
        return (rank, ledger, [.. adapter.ActiveUnion.Values]);
    }
}
