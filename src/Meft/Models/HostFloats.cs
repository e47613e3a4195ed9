using Meft.Kernels;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>Tensors that the kernels can read: float32 and bfloat16 in host memory.</summary>
internal static class HostFloats
{
    /// <summary>Whether a tensor is one of them.</summary>
    public static bool Takes(Tensor x) => x.device_type == TorchSharp.DeviceType.CPU && Takes(x.dtype);

    /// <summary>Whether numbers of a type are such.</summary>
    public static bool Takes(ScalarType type) => type is ScalarType.Float32 or ScalarType.BFloat16;

    /// <summary>How a tensor's numbers lie in memory.</summary>
    public static FloatFormat Format(Tensor x) => x.dtype == ScalarType.BFloat16 ? FloatFormat.BFloat16 : FloatFormat.Single;

    /// <summary>The first number of a contiguous tensor; valid while the tensor lives.</summary>
    public static unsafe nint Address(Tensor x) => (nint)TensorMemory.Pointer(x);
}
