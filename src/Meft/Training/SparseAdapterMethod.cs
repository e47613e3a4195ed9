using Meft.Adapters;
using Meft.Core.Configuration;
using Meft.Host;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>Trains a <see cref="SparseAdapter"/> with AdamW over touched rows (or over all of them) in host memory.</summary>
/// <param name="adapter">The adapter; owned by this object.</param>
/// <param name="rows">Which rows move in a step.</param>
/// <param name="identity">What the adapter's files say of the base it belongs to.</param>
/// <param name="execution">What travels between host and device.</param>
public sealed unsafe class SparseAdapterMethod(
    SparseAdapter adapter, OptimizerRows rows, AdapterIdentity identity, ExecutionKind execution = ExecutionKind.Activations) : ITrainedMethod
{
    /// <summary>The adapter that is trained.</summary>
    public SparseAdapter Sparse => adapter;

    /// <inheritdoc/>
    public IDecoderAdapter Adapter => adapter;

    /// <inheritdoc/>
    public long ParameterCount => adapter.Spec.ParameterCount;

    /// <inheritdoc/>
    public long HostByteCount => adapter.HostByteCount;

    /// <inheritdoc/>
    public long DeviceByteCount => 0;

    /// <inheritdoc/>
    public double ActiveRows => adapter.ActiveUnion.Count == 0 ? double.NaN : adapter.ActiveUnion.Values.Average() / adapter.Spec.Rank;

    /// <inheritdoc/>
    public AdapterUsage? Usage => adapter.Usage;

    /// <inheritdoc/>
    public IReadOnlyList<TrainedMatrix> Matrices => SparseAdapterFiles.Matrices(adapter);

    /// <inheritdoc/>
    public void RunOn(Device device, MemoryLedger ledger) => adapter.RunOn(execution, device, ledger);

    /// <inheritdoc/>
    public void StartMicroBatch(long step, int microBatch) => adapter.Usage.Begin();

    /// <inheritdoc/>
    public void ThrowIfBackwardFailed() => adapter.ThrowIfBackwardFailed();

    /// <inheritdoc/>
    public double SquaredGradientNorm() => adapter.Stores.Sum(layer => SquaredNorms(layer.Value).Sum(n => n.Value));

    /// <inheritdoc/>
    public IReadOnlyList<string> NonFiniteGradients() =>
    [
        .. adapter.Stores.SelectMany(layer => SquaredNorms(layer.Value)
            .Where(n => !double.IsFinite(n.Value)).Select(n => $"layers.{layer.Key}.{n.Key}")),
    ];

    /// <inheritdoc/>
    public void Update(in AdamWStep step)
    {
        foreach (var (_, store) in adapter.Stores)
        {
            if (rows == OptimizerRows.All) store.Changed.AddAll();
            else store.Changed.Add(store.RowGradients.TouchedRows);
            UpdateRows(store.Keys, store.RowGradients.Keys, store.RowGradients, step);
            UpdateRows(store.Values, store.RowGradients.Values, store.RowGradients, step);
            // The gate has a dense gradient and always moves whole.
            UpdateAll(store.Gate, store.GateGradient.Data, null, step);
        }
        adapter.Usage.Keep();
    }

    /// <inheritdoc/>
    public void ClearGradients()
    {
        foreach (var (_, store) in adapter.Stores) store.ClearGradients();
        adapter.Usage.End();
    }

    /// <inheritdoc/>
    public void ApplyMasters()
    {
        // The masters are what the layers compute with.
    }

    /// <inheritdoc/>
    public void SaveResult(string folder) => SparseAdapterFiles.Save(adapter, identity, folder);

    /// <inheritdoc/>
    public void Dispose() => adapter.Dispose();

    private void UpdateRows(ParameterRows parameters, HostMatrix gradients, RowGradients touched, in AdamWStep step)
    {
        if (rows == OptimizerRows.All)
        {
            fixed (int* slots = touched.SlotOfRow) UpdateAll(parameters, gradients.Data, slots, step);
            return;
        }
        fixed (int* touchedRows = touched.TouchedRows)
        {
            AdamW.Update(
                parameters.Weights.Data, parameters.FirstMoments.Data, parameters.SecondMoments.Data, gradients.Data,
                touchedRows, null, touched.TouchedRows.Length, parameters.Weights.Dimension, step);
        }
    }

    private static void UpdateAll(ParameterRows parameters, float* gradients, int* slots, in AdamWStep step) =>
        AdamW.Update(
            parameters.Weights.Data, parameters.FirstMoments.Data, parameters.SecondMoments.Data, gradients,
            null, slots, parameters.Rows, parameters.Weights.Dimension, step);

    private static Dictionary<string, double> SquaredNorms(HostParameterStore store)
    {
        var touched = store.RowGradients.TouchedRows.Length;
        var dimension = store.GateGradient.Dimension;
        return new Dictionary<string, double>
        {
            ["keys"] = SquaredNorm.Compute(store.RowGradients.Keys.Data, touched, dimension),
            ["values"] = SquaredNorm.Compute(store.RowGradients.Values.Data, touched, dimension),
            ["gate"] = SquaredNorm.Compute(store.GateGradient.Data, store.GateGradient.Rows, dimension),
        };
    }
}
