using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>Tensors over host memory that libtorch did not allocate.</summary>
internal static unsafe class ForeignTensor
{
    /// <summary>A tensor [n] over memory, without a copy.</summary>
    /// <param name="address">Where the first element stands.</param>
    /// <param name="elementCount">n.</param>
    /// <param name="type">The elements' type.</param>
    /// <param name="release">Called with the address, once, when neither the tensor nor a view of it is left, from whatever thread drops the last one.</param>
    public static Tensor Over(nint address, long elementCount, ScalarType type, delegate* unmanaged[Cdecl]<nint, void> release)
    {
        var tensor = FromBuffer(address, (nint)release, elementCount, 0, (sbyte)type, (sbyte)type, (int)TorchSharp.DeviceType.CPU, -1, 0);
        if (tensor == 0) throw new InvalidOperationException($"libtorch makes no tensor of {elementCount} {type} over foreign memory");
        return Tensor.UnsafeCreateTensor(tensor);
    }

    [DllImport("LibTorchSharp", EntryPoint = "THSTensor_frombuffer")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern nint FromBuffer(
        nint data, nint deleter, long count, nint offset, sbyte storedType, sbyte wantedType, int deviceType, int deviceIndex, byte requiresGradient);
}
