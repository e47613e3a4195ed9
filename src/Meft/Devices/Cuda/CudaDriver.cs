using System.Runtime.InteropServices;
using System.Text;

namespace Meft.Devices.Cuda;

/// <summary>
/// What CUDA's driver says of a card that its runtime says only in structures whose layout changes with the version: the card's name (CUDA Driver API,
/// <c>cuDeviceGetName</c>). Like the runtime, the driver numbers the cards that <c>CUDA_VISIBLE_DEVICES</c> leaves.
/// </summary>
internal static unsafe class CudaDriver
{
    private const int Success = 0, LongestName = 256;

    /// <summary>A card's name, such as "NVIDIA GeForce RTX 4090"; null where the driver is missing or does not say.</summary>
    /// <param name="index">The N of cuda:N.</param>
    public static string? NameOf(int index)
    {
        foreach (var library in OperatingSystem.IsWindows() ? ["nvcuda.dll"] : new[] { "libcuda.so.1", "libcuda.so" })
        {
            if (NativeLibrary.TryLoad(library, out var driver)) return NameOf(name => NativeLibrary.TryGetExport(driver, name, out var address) ? address : 0, index);
        }
        return null;
    }

    /// <summary>A card's name by the driver's functions.</summary>
    /// <param name="export">The address of a function by its C name; 0 where there is none.</param>
    /// <param name="index">The N of cuda:N.</param>
    internal static string? NameOf(Func<string, nint> export, int index)
    {
        var initialize = (delegate* unmanaged<uint, int>)export("cuInit");
        var get = (delegate* unmanaged<int*, int, int>)export("cuDeviceGet");
        var nameOf = (delegate* unmanaged<byte*, int, int, int>)export("cuDeviceGetName");
        if (initialize is null || get is null || nameOf is null) return null;
        int card;
        var name = stackalloc byte[LongestName];
        if (initialize(0) != Success || get(&card, index) != Success || nameOf(name, LongestName, card) != Success) return null;
        var text = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)).Trim();
        return text.Length > 0 ? text : null;
    }
}
