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
    public Tensor Forward(AdapterPass pass, Tensor x)
    {
        using var held = ledger?.Hold(DeviceUse.AdapterWorkingSet, TensorMemory.ByteCount(x)); // y
        using var y = empty(x.shape, ScalarType.Float32);
        pass.Layer.Forward(pass.Active, TensorMemory.Singles(y));
        return link.ToDevice(y, x.dtype, LinkUse.Activations);
    }

    /// <inheritdoc/>
    public Tensor Backward(AdapterPass pass, Tensor x, Tensor dy)
    {
        using var held = ledger?.Hold(DeviceUse.AdapterWorkingSet, TensorMemory.ByteCount(dy)); // dx
        using var hostGradient = link.ToHost(dy, LinkUse.Activations);
        using var dx = empty(dy.shape, ScalarType.Float32);
        pass.Layer.Backward(pass.Active, pass.Input, TensorMemory.Singles(hostGradient), TensorMemory.Singles(dx));
        return link.ToDevice(dx, dy.dtype, LinkUse.Activations);
    }
}
