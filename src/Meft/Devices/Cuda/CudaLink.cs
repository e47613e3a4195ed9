using Meft.Memory;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Devices.Cuda;

/// <summary>
/// The link to a CUDA device: copies through pinned memory, on a stream of their own for each direction, beside what libtorch computes on stream 0.
/// Events order the streams: a copy waits for what stream 0 had been given when the copy was asked for (or its room reserved), stream 0 waits for
/// a copy whose result it is handed, and the host waits only for numbers that it reads. Numbers cross in the device's type; the host converts.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="runtime">CUDA's runtime.</param>
/// <param name="ledger">Counts what crosses; null to count nothing.</param>
internal sealed class CudaLink(Device device, ICudaRuntime runtime, MemoryLedger? ledger) : IDeviceLink
{
    /// <summary>The stream that libtorch computes on.</summary>
    internal const nint ComputeStream = 0;

    /// <summary>A long copy is cut into pieces, so that a short one of another stream gets its turn between them.</summary>
    private const long PieceBytes = 8L << 20;

    private readonly int _index = Math.Max(0, device.index);
    private readonly StagingPool _staging = new(runtime);
    private CudaStream? _toHost, _toDevice;

    /// <inheritdoc/>
    public bool CopiesAside => true;

    /// <inheritdoc/>
    public Tensor ToHost(Tensor tensor, LinkUse use)
    {
        using var transfer = BeginToHost(tensor, use);
        return transfer.Finish();
    }

    /// <inheritdoc/>
    public IHostTransfer BeginToHost(Tensor tensor, LinkUse use)
    {
        var bytes = TensorMemory.ByteCount(tensor);
        ledger?.ToHost(use, bytes);
        UseDevice();
        var stream = _toHost ??= new CudaStream(runtime);
        using var detached = tensor.detach();
        // Held until the copy is through: libtorch gives freed memory to what it computes next.
        var source = detached.contiguous().DetachFromDisposeScope();
        var staging = Rent(bytes);
        WaitForCompute(stream);
        if (bytes > 0) runtime.Copy(staging.Memory.Value, TensorMemory.DeviceAddress(source), bytes, CopyDirection.ToHost, stream.Value);
        return new CudaHostTransfer(source, staging, stream.Record(), _staging);
    }

    /// <inheritdoc/>
    public Tensor ToDevice(Tensor tensor, ScalarType type, LinkUse use)
    {
        using var room = Reserve(tensor.shape, type);
        return room.Fill(tensor, use);
    }

    /// <inheritdoc/>
    public IDeviceRoom Reserve(long[] shape, ScalarType type)
    {
        UseDevice();
        // What was computed in this memory before libtorch freed it may still be under way.
        return new CudaRoom(this, empty(shape, type, device).DetachFromDisposeScope(), CudaEvent.On(runtime, ComputeStream));
    }

    /// <inheritdoc/>
    public ITransfer BeginToDevice(Tensor source, Tensor target, LinkUse use)
    {
        var bytes = TensorMemory.ByteCount(source);
        ledger?.ToDevice(use, bytes);
        UseDevice();
        var stream = ToDeviceStream();
        WaitForCompute(stream);
        var (from, to) = (TensorMemory.DeviceAddress(source), TensorMemory.DeviceAddress(target));
        for (long done = 0; done < bytes; done += PieceBytes)
        {
            runtime.Copy(
                to + (nint)done, from + (nint)done, Math.Min(PieceBytes, bytes - done), CopyDirection.ToDevice, stream.Value);
        }
        return new CudaTransfer(this, stream.Record());
    }

    /// <inheritdoc/>
    public Tensor HostBuffer(long elementCount, ScalarType type)
    {
        UseDevice();
        return PinnedMemory.NewTensor(runtime, elementCount, type);
    }

    /// <summary>Makes what is computed from now on wait for a copy, without making the host wait.</summary>
    public void ComputeAfter(CudaEvent copied)
    {
        UseDevice();
        runtime.Wait(ComputeStream, copied.Value);
    }

    /// <summary>A tensor in host memory → its place on the device, of any type, in order with the computing stream.</summary>
    public void Send(Tensor source, Tensor place, CudaEvent placeIsFree, LinkUse use)
    {
        var bytes = TensorMemory.ByteCount(place);
        ledger?.ToDevice(use, bytes);
        if (bytes == 0) return;
        UseDevice();
        var stream = ToDeviceStream();
        var staging = Rent(bytes);
        using (var view = staging.Memory.View(place.numel(), place.dtype))
        using (var detached = source.detach())
        using (var flat = detached.reshape(-1))
        {
            view.copy_(flat);
        }
        stream.WaitFor(placeIsFree);
        runtime.Copy(TensorMemory.DeviceAddress(place), staging.Memory.Value, bytes, CopyDirection.ToDevice, stream.Value);
        var copied = stream.Record();
        runtime.Wait(ComputeStream, copied.Value);
        staging.UseUntil(copied);
        _staging.Return(staging);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var stream in new[] { _toHost, _toDevice })
        {
            if (stream is null) continue;
            using (var last = stream.Record()) last.Synchronize();
            stream.Dispose();
        }
        (_toHost, _toDevice) = (null, null);
        _staging.Dispose();
    }

    private CudaStream ToDeviceStream() => _toDevice ??= new CudaStream(runtime);

    private StagingBuffer Rent(long bytes)
    {
        var buffer = _staging.Rent(bytes);
        ledger?.Host("pinned staging", _staging.ByteCount);
        return buffer;
    }

    private void WaitForCompute(CudaStream stream)
    {
        using var started = CudaEvent.On(runtime, ComputeStream);
        stream.WaitFor(started);
    }

    private void UseDevice() => runtime.SetDevice(_index);
}
