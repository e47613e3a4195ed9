using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>Direct access to the memory behind a tensor on the host, for kernels that run in place.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first element of a contiguous float32 tensor in host memory; valid while the tensor lives.</summary>
    /// <exception cref="ArgumentException">The tensor is of another type, not contiguous or not in host memory.</exception>
    public static float* Singles(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32) throw new ArgumentException($"a {tensor.dtype} tensor, not Float32", nameof(tensor));
        return (float*)Pointer(tensor);
    }

    /// <summary>The first element of a contiguous tensor of any type in host memory; valid while the tensor lives.</summary>
    /// <exception cref="ArgumentException">The tensor is not contiguous or not in host memory.</exception>
    public static void* Pointer(Tensor tensor)
    {
        if (tensor.device_type != TorchSharp.DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException("the tensor must be contiguous and in host memory", nameof(tensor));
        var data = Data(tensor.Handle);
        GC.KeepAlive(tensor);
        return (void*)data;
    }

    /// <summary>Where a contiguous tensor of any type begins, on whatever device it is: an address for that device's own copies.</summary>
    /// <exception cref="ArgumentException">The tensor is not contiguous.</exception>
    public static nint DeviceAddress(Tensor tensor)
    {
        if (!tensor.is_contiguous()) throw new ArgumentException("the tensor must be contiguous", nameof(tensor));
        var data = Data(tensor.Handle);
        GC.KeepAlive(tensor);
        return data;
    }

    /// <summary>Bytes of one element of the types that models, selections and indices are held in.</summary>
    public static int ElementBytes(ScalarType type) => type switch
    {
        ScalarType.Bool or ScalarType.Byte or ScalarType.Int8 => 1,
        ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Int16 => 2,
        ScalarType.Float32 or ScalarType.Int32 => 4,
        _ => 8,
    };

    /// <summary>Bytes of a tensor's elements.</summary>
    public static long ByteCount(Tensor tensor) => tensor.numel() * ElementBytes(tensor.dtype);

    /// <summary>
    /// Asks for huge pages behind a tensor in host memory that nobody has written to, where it is large: they are taken in far less time, and read with fewer misses.
    /// </summary>
    public static void PreferHugePages(Tensor tensor)
    {
        const nint hugePage = (nint)AnonymousMemory.HugePageBytes;
        var bytes = (nint)ByteCount(tensor);
        if (!OperatingSystem.IsLinux() || bytes < 2 * hugePage) return;
        // Whole ones alone: what lies beside the tensor is somebody else's.
        var data = (nint)Pointer(tensor);
        var start = (data + hugePage - 1) / hugePage * hugePage;
        var end = (data + bytes) / hugePage * hugePage;
        if (end > start) AnonymousMemory.PreferHugePages(start, end - start);
    }

    [DllImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern nint Data(nint handle);
}
