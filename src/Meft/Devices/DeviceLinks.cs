using Meft.Devices.Cuda;
using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>The links of devices.</summary>
public static class DeviceLinks
{
    /// <summary>The environment variable that says how tensors cross to a CUDA device: <c>plain</c> for libtorch's own copies, one after another.</summary>
    public const string CopiesVariable = "MEFT_CUDA_COPIES";

    /// <summary>The link of a device: pinned memory and own streams for CUDA, plain copies for any other.</summary>
    /// <param name="device">The device.</param>
    /// <param name="ledger">Counts what crosses; null to count nothing.</param>
    /// <exception cref="Core.Errors.RunFailedException">The device is a CUDA device and CUDA's runtime library cannot be loaded.</exception>
    public static IDeviceLink For(Device device, MemoryLedger? ledger) =>
        device.type == TorchSharp.DeviceType.CUDA && Environment.GetEnvironmentVariable(CopiesVariable) != "plain"
            ? new CudaLink(device, CudaRuntime.Load(), ledger)
            : new HostLink(device, ledger);
}
