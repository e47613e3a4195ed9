namespace Meft.Memory;

/// <summary>
/// Counts bytes by cause: what is held on the device and in host memory, and what crossed the link between them. It counts the tensors
/// that the engine itself makes and holds (weights, trained tensors, packed hidden states between layers, logits with their gradient), not what autograd
/// keeps inside a layer for the backward pass nor the temporaries of libtorch's operations: the true peak of a card is higher. A run on the CPU counts as if the CPU were a device, so that its numbers say what a card would see.
/// </summary>
public sealed class MemoryLedger
{
    private readonly Dictionary<string, long> _device = [];
    private readonly Dictionary<string, long> _host = [];

    /// <summary>Bytes now held on the device, by cause.</summary>
    public IReadOnlyDictionary<string, long> DeviceByCause => _device;

    /// <summary>Bytes now held in host memory, by cause.</summary>
    public IReadOnlyDictionary<string, long> HostByCause => _host;

    /// <summary>Bytes now held on the device.</summary>
    public long DeviceBytes { get; private set; }

    /// <summary>The most bytes held on the device since the last <see cref="StartStep"/>.</summary>
    public long DeviceBytesPeak { get; private set; }

    /// <summary>Bytes now held in host memory.</summary>
    public long HostBytes => _host.Values.Sum();

    /// <summary>Bytes from host to device since the last <see cref="StartStep"/>.</summary>
    public long HostToDeviceBytes { get; private set; }

    /// <summary>Bytes from device to host since the last <see cref="StartStep"/>.</summary>
    public long DeviceToHostBytes { get; private set; }

    /// <summary>Begins a step: its transfers start at 0, its peak at what is held now.</summary>
    public void StartStep()
    {
        DeviceBytesPeak = DeviceBytes;
        HostToDeviceBytes = DeviceToHostBytes = 0;
    }

    /// <summary>Counts device memory taken (positive) or given back (negative).</summary>
    public void Device(string cause, long bytes)
    {
        _device[cause] = _device.GetValueOrDefault(cause) + bytes;
        DeviceBytes += bytes;
        DeviceBytesPeak = Math.Max(DeviceBytesPeak, DeviceBytes);
    }

    /// <summary>States how much host memory a cause holds now.</summary>
    public void Host(string cause, long bytes) => _host[cause] = bytes;

    /// <summary>Counts a transfer to the device.</summary>
    public void ToDevice(long bytes) => HostToDeviceBytes += bytes;

    /// <summary>Counts a transfer to the host.</summary>
    public void ToHost(long bytes) => DeviceToHostBytes += bytes;
}
