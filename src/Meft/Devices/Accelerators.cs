using Meft.Devices.Cuda;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>The CUDA cards that libtorch finds.</summary>
public static class Accelerators
{
    /// <summary>Their names by index, such as "NVIDIA H200"; <c>cuda:N</c> where the driver does not say. Empty on a machine without.</summary>
    public static IReadOnlyList<string> Names()
    {
        NativeTorch.Load();
        return cuda.is_available() ? [.. Enumerable.Range(0, cuda.device_count()).Select(index => CudaDriver.NameOf(index) ?? $"cuda:{index}")] : [];
    }
}
