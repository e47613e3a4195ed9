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
    public bool CopiesAside => false;

    /// <inheritdoc/>
    public Tensor ToHost(Tensor tensor, LinkUse use)
    {
        ledger?.ToHost(use, TensorMemory.ByteCount(tensor));
        using var detached = tensor.detach();
        using var single = detached.to(ScalarType.Float32, CPU);
        return single.contiguous();
    }

    /// <inheritdoc/>
    public IHostTransfer BeginToHost(Tensor tensor, LinkUse use) => new Arrived(ToHost(tensor, use).DetachFromDisposeScope());

    /// <inheritdoc/>
    public Tensor ToDevice(Tensor tensor, ScalarType type, LinkUse use)
    {
        ledger?.ToDevice(use, tensor.numel() * TensorMemory.ElementBytes(type));
        return tensor.to(type, device, copy: true);
    }

    /// <inheritdoc/>
    public IDeviceRoom Reserve(long[] shape, ScalarType type) => new LaterCopy(this, type);

    /// <inheritdoc/>
    public unsafe ITransfer BeginToDevice(Tensor source, Tensor target, LinkUse use)
    {
        var bytes = TensorMemory.ByteCount(source);
        ledger?.ToDevice(use, bytes);
        if (target.device_type != TorchSharp.DeviceType.CPU)
        {
            target.copy_(source);
            return new CopyTask(Task.CompletedTask);
        }
        var (from, to) = ((nint)TensorMemory.Pointer(source), (nint)TensorMemory.Pointer(target));
        return new CopyTask(Task.Run(() =>
        {
            Buffer.MemoryCopy((void*)from, (void*)to, bytes, bytes);
            GC.KeepAlive(source);
            GC.KeepAlive(target);
        }));
    }

    /// <inheritdoc/>
    public Tensor HostBuffer(long elementCount, ScalarType type) => empty(elementCount, type);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held.
    }

    private sealed class Arrived(Tensor tensor) : IHostTransfer
    {
        private Tensor? _tensor = tensor;

        public Tensor Finish()
        {
            var arrived = _tensor ?? throw new InvalidOperationException("the tensor has been handed out");
            _tensor = null;
            return arrived;
        }

        public void Dispose() => _tensor?.Dispose();
    }

    private sealed class LaterCopy(HostLink link, ScalarType type) : IDeviceRoom
    {
        public Tensor Fill(Tensor source, LinkUse use) => link.ToDevice(source, type, use);

        public void Dispose()
        {
            // Room is taken by the copy itself.
        }
    }

    private sealed class CopyTask(Task task) : ITransfer
    {
        public void Wait() => task.GetAwaiter().GetResult();
    }
}
