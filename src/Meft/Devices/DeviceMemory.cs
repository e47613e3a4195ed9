using Meft.Devices.Cuda;
using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>Memory of a device of its own.</summary>
/// <param name="FreeBytes">Bytes that nobody holds now.</param>
/// <param name="TotalBytes">All bytes.</param>
public readonly record struct DeviceMemory(long FreeBytes, long TotalBytes)
{
    /// <summary>Asks a device; null where it has no memory of its own, as the CPU.</summary>
    /// <exception cref="Core.Errors.RunFailedException">It is a CUDA device and CUDA's runtime does not say.</exception>
    public static DeviceMemory? Of(Device device) =>
        device.type == TorchSharp.DeviceType.CUDA ? Of(CudaRuntime.Load(), Math.Max(0, device.index)) : null;

    internal static DeviceMemory Of(ICudaRuntime runtime, int index)
    {
        runtime.SetDevice(index);
        var (free, total) = runtime.DeviceBytes();
        return new DeviceMemory(free, total);
    }
}
