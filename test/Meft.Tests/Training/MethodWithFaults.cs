using Meft.Host;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using Meft.Training;

namespace Meft.Tests.Training;

/// <summary>Another method, and what a test wants to go wrong in it.</summary>
internal sealed class MethodWithFaults(ITrainedMethod method) : ITrainedMethod
{
    /// <summary>Called with step and micro-batch before each forward.</summary>
    public Action<long, int>? OnMicroBatch { get; init; }

    /// <summary>Called before each update with its step.</summary>
    public Action<long>? OnUpdate { get; init; }

    /// <summary>Gives the squared norm in place of the method's, where not null, from how often it was asked for before.</summary>
    public Func<int, double?>? Norm { get; init; }

    private int _norms;

    public IDecoderAdapter? Adapter => method.Adapter;

    public long ParameterCount => method.ParameterCount;

    public long HostByteCount => method.HostByteCount;

    public long DeviceByteCount => method.DeviceByteCount;

    public double ActiveRows => method.ActiveRows;

    public IReadOnlyList<TrainedMatrix> Matrices => method.Matrices;

    public void RunOn(TorchSharp.torch.Device device, MemoryLedger ledger) => method.RunOn(device, ledger);

    public void StartMicroBatch(long step, int microBatch)
    {
        OnMicroBatch?.Invoke(step, microBatch);
        method.StartMicroBatch(step, microBatch);
    }

    public void ThrowIfBackwardFailed() => method.ThrowIfBackwardFailed();

    public double SquaredGradientNorm()
    {
        var norm = method.SquaredGradientNorm();
        return Norm?.Invoke(_norms++) ?? norm;
    }

    public IReadOnlyList<string> NonFiniteGradients() => Norm is null ? method.NonFiniteGradients() : ["layers.1.keys"];

    public void Update(in AdamWStep step)
    {
        OnUpdate?.Invoke(step.Step);
        method.Update(step);
    }

    public void ClearGradients() => method.ClearGradients();

    public void ApplyMasters() => method.ApplyMasters();

    public void SaveResult(string folder) => method.SaveResult(folder);

    public void Dispose() => method.Dispose();
}
