using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// oneDNN's linear map over a weight in its own blocked form. TorchSharp does not bind it; libtorch exports it as functions of plain C,
/// made for compiled models: <c>aoti_torch_call_dispatcher</c> calls an operator by name (here <c>mkldnn::_reorder_linear_weight</c>),
/// <c>aoti_torch_cpu__linear_pointwise</c> applies the result. A tensor's handle is the same pointer in both.
/// </summary>
internal static unsafe class PackedWeights
{
    private static readonly Lazy<bool> Supported = new(Try);
    private static delegate* unmanaged<nint, nint*, int> _newHandle;
    private static delegate* unmanaged<byte*, byte*, ulong*, int> _call;
    private static delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*, int> _linear;

    /// <summary>Whether this libtorch and this processor have it for bfloat16, tried once on a small map.</summary>
    public static bool AreSupported => Supported.Value;

    /// <summary>weight [out, in], contiguous bfloat16 in host memory → an opaque tensor for <see cref="Apply"/>; null where that fails.</summary>
    public static Tensor? Pack(Tensor weight)
    {
        nint handle;
        if (_newHandle(weight.Handle, &handle) != 0) return null;
        // The operator's arguments, then its result: the weight, which the call takes over, and no expected number of rows.
        var stack = stackalloc ulong[2] { (ulong)handle, 0 };
        fixed (byte* name = "mkldnn::_reorder_linear_weight\0"u8, overload = "\0"u8)
        {
            if (_call(name, overload, stack) != 0) return null;
        }
        GC.KeepAlive(weight);
        return Tensor.UnsafeCreateTensor((nint)stack[0]);
    }

    /// <summary>x [T, in], packed [out, in], bias [out] or null → x·Wᵀ + b [T, out], outside of autograd; null where that fails.</summary>
    public static Tensor? Apply(Tensor x, Tensor packed, Tensor? bias)
    {
        nint result, biasHandle = bias is null ? 0 : bias.Handle;
        fixed (byte* none = "none\0"u8)
        {
            if (_linear(x.Handle, packed.Handle, bias is null ? null : &biasHandle, none, null, 0, null, &result) != 0) return null;
        }
        GC.KeepAlive(x);
        GC.KeepAlive(packed);
        GC.KeepAlive(bias);
        return Tensor.UnsafeCreateTensor(result);
    }

    private static bool Try()
    {
        // What oneDNN asks of a processor for bfloat16; asking here keeps libtorch from logging that it is refused.
        if (!OperatingSystem.IsLinux() || !Avx512BW.VL.IsSupported || !Avx512DQ.VL.IsSupported) return false;
        var path = Path.Combine(NativeTorch.Load().LibtorchFolder, "libtorch_cpu.so");
        if (!NativeLibrary.TryLoad(path, out var library)
            || !NativeLibrary.TryGetExport(library, "aoti_torch_new_tensor_handle", out var newHandle)
            || !NativeLibrary.TryGetExport(library, "aoti_torch_call_dispatcher", out var call)
            || !NativeLibrary.TryGetExport(library, "aoti_torch_cpu__linear_pointwise", out var linear))
        {
            return false;
        }
        _newHandle = (delegate* unmanaged<nint, nint*, int>)newHandle;
        _call = (delegate* unmanaged<byte*, byte*, ulong*, int>)call;
        _linear = (delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*, int>)linear;
        return AgreesOnASmallMap();
    }

    private static bool AgreesOnASmallMap()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        // Small whole numbers: every sum is exact, whatever its order.
        var x = ScalarOperations.Counting(5 * 24, ScalarType.Float32).Modulo(7).Plus(-3.0).view(5, 24).to(ScalarType.BFloat16);
        var weight = ScalarOperations.Counting(40 * 24, ScalarType.Float32).Modulo(5).Plus(-2.0).view(40, 24).to(ScalarType.BFloat16);
        if (Pack(weight) is not { } packed || Apply(x, packed, null) is not { } y) return false;
        return y.Equals(nn.functional.linear(x, weight));
    }
}
