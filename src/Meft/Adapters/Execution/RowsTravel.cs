using Meft.Devices;
using Meft.Host;
using Meft.Kernels;
using Meft.Memory;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters.Execution;

/// <summary>
/// The paper's way: the U active rows of K and V go to the device, for one layer at a time, with the selection made on the host; the
/// arithmetic runs there, and the rows' gradients come back. The scores come with the selection, so the forward needs V alone. No more than one
/// layer's rows are ever on the device: the backward fetches K, and V again unless recompute has just brought it. The gate stays on the host: its share
/// of dx is computed there. 3·U·D·w bytes of rows and 2·U·D·4 of gradients a layer, and 2·T·D·w of activations.
/// </summary>
internal sealed unsafe class RowsTravel(IDeviceLink link, MemoryLedger? ledger) : IAdapterExecutor
{
    /// <summary>Elements of a [tokens, U] matrix at once.</summary>
    private const int ElementsAtOnce = 1 << 22;

    /// <inheritdoc/>
    public IForwardWork BeginForward(Tensor x) => new ForwardWork(this);

    /// <inheritdoc/>
    public IBackwardWork BeginBackward(AdapterPass pass, Tensor dy) => new BackwardWork(this, pass, dy);

    private Tensor Forward(AdapterPass pass, Tensor x)
    {
        if (pass.Active.EntryCount == 0) return zeros_like(x);
        using var scope = NewDisposeScope();
        var (tokens, unionCount) = (TokensAtOnce(pass), pass.Active.UnionCount);
        using var held = ledger?.Hold(
            DeviceUse.AdapterWorkingSet,
            Bytes(x, (unionCount * x.shape[1]) + ((long)tokens * unionCount) + x.numel()) + TravellingSelection.ByteCount(pass.Active, forBackward: false));
        using var selection = TravellingSelection.Send(pass.Active, forBackward: false, link);
        var values = FetchRows(pass, pass.Layer.Store.Values.Weights, x.dtype);
        var y = empty_like(x);
        for (var from = 0; from < pass.TokenCount; from += tokens)
        {
            using var chunkScope = NewDisposeScope();
            var chunk = selection.Chunk(from, Math.Min(tokens, pass.TokenCount - from));
            // y = S·V, S the scores at the selected places
            y.narrow(0, from, chunk.TokenCount).copy_(chunk.Spread(chunk.Scores, x.dtype).mm(values));
        }
        if (pass.IsRepeated) pass.Kept = new KeptRows(values, ledger?.Hold(DeviceUse.AdapterWorkingSet, Bytes(x, values.numel())));
        return y.MoveToOuterDisposeScope();
    }

    private Tensor Backward(AdapterPass pass, Tensor x, Tensor dy)
    {
        if (pass.Active.EntryCount == 0) return zeros_like(dy);
        using var scope = NewDisposeScope();
        var (tokens, unionCount) = (TokensAtOnce(pass), pass.Active.UnionCount);
        var dimension = x.shape[1];
        pass.Kept?.StopCounting();
        using var held = ledger?.Hold(
            DeviceUse.AdapterWorkingSet,
            Bytes(x, (2 * unionCount * dimension) + (3L * tokens * unionCount) + x.numel()) + TravellingSelection.ByteCount(pass.Active, forBackward: true)
                + (2 * unionCount * dimension * sizeof(float)));
        using var selection = TravellingSelection.Send(pass.Active, forBackward: true, link);
        var keys = FetchRows(pass, pass.Layer.Store.Keys.Weights, x.dtype);
        var values = pass.Kept?.Rows ?? FetchRows(pass, pass.Layer.Store.Values.Weights, x.dtype);
        Tensor dKeys = zeros(unionCount, dimension, ScalarType.Float32, x.device), dValues = zeros_like(dKeys);
        var dCoefficients = selection.HasProbes ? zeros((long)pass.TokenCount * pass.Layer.Spec.Probe, ScalarType.Float32, x.device) : null;
        var dx = empty_like(dy);
        for (var from = 0; from < pass.TokenCount; from += tokens)
        {
            using var chunkScope = NewDisposeScope();
            var chunk = selection.Chunk(from, Math.Min(tokens, pass.TokenCount - from));
            var entries = chunk.Backward!;
            Tensor dyOfChunk = dy.narrow(0, from, chunk.TokenCount), xOfChunk = x.narrow(0, from, chunk.TokenCount);
            var dScores = chunk.Pick(dyOfChunk.mm(values.t())); // ds_j = dy·V_j at the selected places
            var spreadScores = chunk.Spread(chunk.Scores, x.dtype);
            var spreadGradients = chunk.Spread(dScores * entries.Coefficients, x.dtype); // ds_j·c
            dValues.PlusInPlace(spreadScores.t().mm(dyOfChunk));
            dKeys.PlusInPlace(spreadGradients.t().mm(xOfChunk));
            dx.narrow(0, from, chunk.TokenCount).copy_(spreadGradients.mm(keys));
            dCoefficients?.AddSlices(0, entries.ProbePlaces, dScores * entries.Products);
        }
        // The first is converted and added up while the next ones are under way.
        using var arrivingCoefficients = dCoefficients is null ? null : link.BeginToHost(dCoefficients, LinkUse.Selection);
        using IHostTransfer arrivingKeys = link.BeginToHost(dKeys, LinkUse.RowGradients), arrivingValues = link.BeginToHost(dValues, LinkUse.RowGradients);
        if (arrivingCoefficients is not null) dx.PlusInPlace(GateGradient(pass, arrivingCoefficients, x));
        using Tensor hostKeys = arrivingKeys.Finish(), hostValues = arrivingValues.Finish();
        pass.Layer.AddRowGradients(pass.Active, TensorMemory.Singles(hostKeys), TensorMemory.Singles(hostValues));
        return dx.MoveToOuterDisposeScope();
    }

    /// <summary>dc [T·P] on its way → the gate's share of dx [T, D] on the device; adds dG.</summary>
    private Tensor GateGradient(AdapterPass pass, IHostTransfer dCoefficients, Tensor x)
    {
        using var host = dCoefficients.Finish();
        using var share = zeros(x.shape, ScalarType.Float32);
        pass.Layer.BackwardGate(pass.Active, TensorMemory.Singles(host), pass.Input, TensorMemory.Singles(share));
        return link.ToDevice(share, x.dtype, LinkUse.Activations);
    }

    /// <summary>The U active rows, ascending → [U, D] on the device.</summary>
    private Tensor FetchRows(AdapterPass pass, HostMatrix matrix, ScalarType type)
    {
        var narrow = type == ScalarType.BFloat16;
        using var staged = empty(pass.Active.UnionCount, matrix.Dimension, narrow ? type : ScalarType.Float32);
        fixed (int* rows = pass.Active.UnionRows)
        {
            RowGather.Compute(
                matrix.Data, rows, pass.Active.UnionCount, matrix.Dimension, TensorMemory.Pointer(staged),
                narrow ? FloatFormat.BFloat16 : FloatFormat.Single);
        }
        return link.ToDevice(staged, type, LinkUse.Rows);
    }

    private static int TokensAtOnce(AdapterPass pass) => Math.Clamp(ElementsAtOnce / pass.Active.UnionCount, 1, pass.TokenCount);

    private static long Bytes(Tensor like, long elements) => elements * TensorMemory.ElementBytes(like.dtype);

    /// <summary>Nothing but the selection is needed first: the rows are gathered while the device does what it has been given.</summary>
    private sealed class ForwardWork(RowsTravel rows) : IForwardWork
    {
        public Tensor Finish(AdapterPass pass, Tensor x) => rows.Forward(pass, x);

        public void Dispose()
        {
            // Nothing was begun.
        }
    }

    private sealed class BackwardWork(RowsTravel rows, AdapterPass pass, Tensor dy) : IBackwardWork
    {
        private readonly Tensor _dy = dy.detach().DetachFromDisposeScope();

        public Tensor Finish(Tensor x) => rows.Backward(pass, x, _dy);

        public void Dispose() => _dy.Dispose();
    }
}
