using Meft.Memory;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>The link of a device without a link of its own, the CPU first of all: plain copies, counted as on a card.</summary>
/// <param name="device">The device.</param>
/// <param name="ledger">Counts what crosses; null to count nothing.</param>
internal sealed class HostLink(Device device, MemoryLedger? ledger) : IDeviceLink
{
    /// <inheritdoc/>
    public Tensor ToHost(Tensor tensor, LinkUse use)
    {
        ledger?.ToHost(use, TensorMemory.ByteCount(tensor));
        using var detached = tensor.detach();
        using var single = detached.to(ScalarType.Float32, CPU);
        return single.contiguous();
    }

    /// <inheritdoc/>
    public Tensor ToDevice(Tensor tensor, ScalarType type, LinkUse use)
    {
        ledger?.ToDevice(use, tensor.numel() * TensorMemory.ElementBytes(type));
        return tensor.to(type, device, copy: true);
    }
}
