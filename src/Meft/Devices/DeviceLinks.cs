using Meft.Core.Errors;
using Meft.Devices.Cuda;
using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>The links of devices.</summary>
public static class DeviceLinks
{
    /// <summary>The environment variable that says how tensors cross to a CUDA device: <c>plain</c> for libtorch's own copies, one after another.</summary>
    public const string CopiesVariable = "MEFT_CUDA_COPIES";

    private const string Plain = "plain";

    /// <summary>The link of a device: pinned memory and own streams for CUDA, plain copies for any other.</summary>
    /// <param name="device">The device.</param>
    /// <param name="ledger">Counts what crosses; null to count nothing.</param>
    /// <exception cref="RunFailedException">The device is a CUDA device and CUDA's runtime library cannot be loaded.</exception>
    /// <exception cref="InvalidInputException">The device is a CUDA device and <see cref="CopiesVariable"/> is not known.</exception>
    public static IDeviceLink For(Device device, MemoryLedger? ledger) =>
        device.type == TorchSharp.DeviceType.CUDA && !WantsPlain(Environment.GetEnvironmentVariable(CopiesVariable))
            ? new CudaLink(device, CudaRuntime.Load(), ledger)
            : new HostLink(device, ledger);

    /// <summary>What a value of <see cref="CopiesVariable"/> says.</summary>
    internal static bool WantsPlain(string? copies) => copies switch
    {
        null or "" => false,
        Plain => true,
        _ => throw new InvalidInputException($"{CopiesVariable} is '{copies}'", null, $"{Plain}, or not set"),
    };
}
