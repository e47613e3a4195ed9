using Meft.Devices;
using Meft.Memory;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters.Execution;

/// <summary>
/// The rows stay: y goes to the device, dy comes to the host, dx goes back; the sparse arithmetic runs on the host. With x, which came for the
/// selection, 4·T·D·w bytes a layer whatever R is.
/// </summary>
internal sealed unsafe class ActivationsTravel(IDeviceLink link, MemoryLedger? ledger) : IAdapterExecutor
{
    /// <inheritdoc/>
    public IForwardWork BeginForward(Tensor x) => new ForwardWork(link, ledger, x);

    /// <inheritdoc/>
    public IBackwardWork BeginBackward(AdapterPass pass, Tensor dy) => new BackwardWork(link, ledger, pass, dy);

    private sealed class ForwardWork(IDeviceLink link, MemoryLedger? ledger, Tensor x) : IForwardWork
    {
        private readonly HeldBytes? _held = ledger?.Hold(DeviceUse.AdapterWorkingSet, TensorMemory.ByteCount(x)); // y
        private readonly IDeviceRoom _room = link.Reserve(x.shape, x.dtype);

        public Tensor Finish(AdapterPass pass, Tensor x)
        {
            using var y = empty(x.shape, ScalarType.Float32);
            pass.Layer.Forward(pass.Active, TensorMemory.Singles(y));
            return _room.Fill(y, LinkUse.Activations);
        }

        public void Dispose()
        {
            _room.Dispose();
            _held?.Dispose();
        }
    }

    private sealed class BackwardWork(IDeviceLink link, MemoryLedger? ledger, AdapterPass pass, Tensor dy) : IBackwardWork
    {
        private readonly HeldBytes? _held = ledger?.Hold(DeviceUse.AdapterWorkingSet, TensorMemory.ByteCount(dy)); // dx
        private readonly IHostTransfer _gradient = link.BeginToHost(dy, LinkUse.Activations);
        private readonly IDeviceRoom _room = link.Reserve(dy.shape, dy.dtype);

        public Tensor Finish(Tensor x)
        {
            using var hostGradient = _gradient.Finish();
            using var dx = empty(hostGradient.shape, ScalarType.Float32);
            pass.Layer.Backward(pass.Active, pass.Input, TensorMemory.Singles(hostGradient), TensorMemory.Singles(dx));
            return _room.Fill(dx, LinkUse.Activations);
        }

        public void Dispose()
        {
            _gradient.Dispose();
            _room.Dispose();
            _held?.Dispose();
        }
    }
}
