
namespace Meft.Memory;

/// <summary>
/// Counts bytes by cause: what is held on the device and in host memory, and what crossed the link between them. Whatever the engine
/// puts on a device is entered here first, what autograd keeps inside a layer included (docs/memory.md), so a budget is enforced before
/// memory is taken. Temporaries of libtorch's own operations are not counted. A run on the CPU counts as if the CPU were a device, so that
/// its numbers say what a card would see.
/// </summary>
/// <param name="deviceBudget">The most bytes that may be held on the device; null for no limit.</param>
public sealed class MemoryLedger(long? deviceBudget = null)
{
    private readonly Dictionary<DeviceUse, long> _device = [], _deviceMost = [];
    private readonly Dictionary<string, long> _host = [];
    private readonly Dictionary<LinkUse, long> _toDevice = [], _toHost = [];
    private Dictionary<DeviceUse, long> _devicePeak = [];

    /// <summary>Bytes now held on the device, by cause.</summary>
    public IReadOnlyDictionary<DeviceUse, long> DeviceByCause => _device;

    /// <summary>Bytes by cause at the moment of <see cref="DeviceBytesPeak"/>.</summary>
    public IReadOnlyDictionary<DeviceUse, long> DevicePeakByCause => _devicePeak;

    /// <summary>The most bytes that each cause alone has held since the last <see cref="StartStep"/>; not all at the same moment.</summary>
    public IReadOnlyDictionary<DeviceUse, long> DeviceMostByCause => _deviceMost;

    /// <summary>Bytes now held in host memory, by cause.</summary>
    public IReadOnlyDictionary<string, long> HostByCause => _host;

    /// <summary>Bytes from host to device since the last <see cref="StartStep"/>, by cause.</summary>
    public IReadOnlyDictionary<LinkUse, long> ToDeviceByCause => _toDevice;

    /// <summary>Bytes from device to host since the last <see cref="StartStep"/>, by cause.</summary>
    public IReadOnlyDictionary<LinkUse, long> ToHostByCause => _toHost;

    /// <summary>Bytes now held on the device.</summary>
    public long DeviceBytes { get; private set; }

    /// <summary>The most bytes held on the device since the last <see cref="StartStep"/>.</summary>
    public long DeviceBytesPeak { get; private set; }

    /// <summary>Bytes now held in host memory.</summary>
    public long HostBytes => _host.Values.Sum();

    /// <summary>Bytes from host to device since the last <see cref="StartStep"/>.</summary>
    public long HostToDeviceBytes => _toDevice.Values.Sum();

    /// <summary>Bytes from device to host since the last <see cref="StartStep"/>.</summary>
    public long DeviceToHostBytes => _toHost.Values.Sum();

    /// <summary>Begins a step: its transfers start at 0, its peak at what is held now.</summary>
    public void StartStep()
    {
        DeviceBytesPeak = DeviceBytes;
        _devicePeak = new(_device);
        _deviceMost.Clear();
        foreach (var (use, bytes) in _device) _deviceMost[use] = bytes;
        _toDevice.Clear();
        _toHost.Clear();
    }

    /// <summary>Counts device memory that is about to be taken; disposing the result counts it as given back.</summary>
    /// <exception cref="DeviceBudgetException">The budget would be exceeded; the text names the cause and what to change.</exception>
    public HeldBytes Hold(DeviceUse use, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (DeviceBytes + bytes > deviceBudget) throw OverBudget(use, bytes);
        _device[use] = _device.GetValueOrDefault(use) + bytes;
        DeviceBytes += bytes;
        _deviceMost[use] = Math.Max(_deviceMost.GetValueOrDefault(use), _device[use]);
        if (DeviceBytes > DeviceBytesPeak)
        {
            DeviceBytesPeak = DeviceBytes;
            _devicePeak = new(_device);
        }
        return new HeldBytes(this, use, bytes);
    }

    /// <summary>States how much host memory a cause holds now.</summary>
    public void Host(string cause, long bytes) => _host[cause] = bytes;

    /// <summary>Counts a transfer to the device.</summary>
    public void ToDevice(LinkUse use, long bytes) => _toDevice[use] = _toDevice.GetValueOrDefault(use) + bytes;

    /// <summary>Counts a transfer to the host.</summary>
    public void ToHost(LinkUse use, long bytes) => _toHost[use] = _toHost.GetValueOrDefault(use) + bytes;

    internal void Release(DeviceUse use, long bytes)
    {
        _device[use] -= bytes;
        DeviceBytes -= bytes;
    }

    private DeviceBudgetException OverBudget(DeviceUse use, long bytes)
    {
        var held = string.Join(", ", _device.Where(d => d.Value > 0).OrderByDescending(d => d.Value).Select(d => $"{d.Key.Name} {d.Value:N0}"));
        return new DeviceBudgetException(
            $"{use.Name} need {bytes:N0} bytes more on the device, which holds {DeviceBytes:N0} ({held}) of a budget of {deviceBudget:N0}",
            use.Lever);
    }
}
