using Meft.Core.Planning;
using Meft.Host;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>Trains tensors that torch differentiates, with dense gradients: the base itself, or a dense adapter beside it.</summary>
public abstract class TensorMethod : ITrainedMethod
{
    private readonly List<TensorMaster> _masters;
    private IReadOnlyList<TensorGroup> _groups;
    private MemoryLedger? _ledger;

    /// <param name="parameters">Leaves that require gradients, by their names in files.</param>
    private protected TensorMethod(IEnumerable<KeyValuePair<string, Tensor>> parameters)
    {
        _masters = [.. parameters.Select(p => new TensorMaster(p.Key, p.Value))];
        _groups = TensorGroup.For(CPU, _masters);
    }

    /// <inheritdoc/>
    public abstract IDecoderAdapter? Adapter { get; }

    /// <inheritdoc/>
    public long ParameterCount => _masters.Sum(m => m.Matrix.Shape.Aggregate(1L, (a, b) => a * b));

    /// <inheritdoc/>
    public long HostByteCount => _masters.Sum(m => m.HostByteCount);

    /// <inheritdoc/>
    public virtual long DeviceByteCount => 2 * TensorByteCount;

    /// <inheritdoc/>
    public virtual long MappedBlockBytes => ProgramMemory.MappedBlockBytes;

    /// <summary>Bytes of the trained tensors; their gradients take as much again.</summary>
    private protected long TensorByteCount => _masters.Sum(m => m.TensorByteCount);

    /// <inheritdoc/>
    public double ActiveRows => double.NaN;

    /// <inheritdoc/>
    public IReadOnlyList<TrainedMatrix> Matrices => [.. _masters.Select(m => m.Matrix)];

    /// <inheritdoc/>
    public void RunOn(Device device, MemoryLedger ledger) => (_groups, _ledger) = (TensorGroup.For(device, _masters), ledger);

    /// <inheritdoc/>
    public void ThrowIfBackwardFailed()
    {
        // torch throws by itself.
    }

    /// <inheritdoc/>
    public double SquaredGradientNorm()
    {
        _ledger?.ToHost(LinkUse.TrainedTensors, TensorByteCount); // the gradients
        return _groups.Sum(group => group.CollectGradients(_ledger));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> NonFiniteGradients() =>
        [.. _masters.Where(m => !double.IsFinite(m.CollectGradient())).Select(m => m.Matrix.Name)];

    /// <inheritdoc/>
    public void Update(in AdamWStep step)
    {
        foreach (var group in _groups) group.Update(step, _ledger);
        _ledger?.ToDevice(LinkUse.TrainedTensors, TensorByteCount); // the weights
    }

    /// <inheritdoc/>
    public virtual void StartMicroBatch(long step, int microBatch)
    {
        // What these tensors compute is the same in every step.
    }

    /// <inheritdoc/>
    public virtual void ClearGradients()
    {
        foreach (var master in _masters) master.ClearGradient();
    }

    /// <inheritdoc/>
    public void ApplyMasters()
    {
        foreach (var group in _groups) group.CopyIn(_ledger);
    }

    /// <inheritdoc/>
    public abstract void SaveResult(string folder);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the masters; a subclass frees what it owns besides.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (var master in _masters) master.Dispose();
    }
}
