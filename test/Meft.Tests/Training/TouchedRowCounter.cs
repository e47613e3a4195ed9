using Meft.Adapters;
using Meft.Host;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using Meft.Training;

namespace Meft.Tests.Training;

/// <summary>A method that notes, at each update, which rows of each layer were touched.</summary>
internal sealed class TouchedRowCounter(ITrainedMethod method, SparseAdapter adapter) : ITrainedMethod
{
    public IReadOnlyList<int> Counts => [.. Rows.Select(r => r.Count)];

    /// <summary>The rows touched in the latest step, by layer.</summary>
    public IReadOnlyList<HashSet<int>> Rows { get; private set; } = [];

    public IDecoderAdapter? Adapter => method.Adapter;

    public long ParameterCount => method.ParameterCount;

    public long HostByteCount => method.HostByteCount;

    public long DeviceByteCount => method.DeviceByteCount;

    public double ActiveRows => method.ActiveRows;

    public IReadOnlyList<TrainedMatrix> Matrices => method.Matrices;

    public void RunOn(TorchSharp.torch.Device device, MemoryLedger ledger) => method.RunOn(device, ledger);

    public void ThrowIfBackwardFailed() => method.ThrowIfBackwardFailed();

    public double SquaredGradientNorm() => method.SquaredGradientNorm();

    public IReadOnlyList<string> NonFiniteGradients() => method.NonFiniteGradients();

    public void Update(in AdamWStep step)
    {
        Rows = [.. adapter.Stores.Select(s => s.Value.RowGradients.TouchedRows.ToArray().ToHashSet())];
        method.Update(step);
    }

    public void ClearGradients() => method.ClearGradients();

    public void ApplyMasters() => method.ApplyMasters();

    public void SaveResult(string folder) => method.SaveResult(folder);

    public void Dispose() => method.Dispose();
}
