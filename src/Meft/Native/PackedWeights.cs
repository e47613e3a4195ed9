using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// oneDNN's linear map over a weight in its own blocked form, which TorchSharp does not bind: <c>mkldnn::_reorder_linear_weight</c>, called by name, makes it and
/// <c>aoti_torch_cpu__linear_pointwise</c> applies it (<see cref="ShimFunctions"/>).
/// </summary>
internal static unsafe class PackedWeights
{
    private static readonly Lazy<bool> Supported = new(Try);
    private static delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*, int> _linear;

    /// <summary>Whether this libtorch and this processor have it for bfloat16, tried once on a small map.</summary>
    public static bool AreSupported => Supported.Value;

    /// <summary>weight [out, in], contiguous bfloat16 in host memory → an opaque tensor for <see cref="Apply"/>; null where that fails.</summary>
    public static Tensor? Pack(Tensor weight) =>
        // The second argument, an expected number of rows, is none.
        ShimFunctions.TryInvoke("mkldnn::_reorder_linear_weight\0"u8, "\0"u8, weight, null);

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
        _linear = (delegate* unmanaged<nint, nint, nint*, byte*, double**, long, byte**, nint*, int>)ShimFunctions.Find("aoti_torch_cpu__linear_pointwise");
        if (_linear is null || ShimFunctions.Find("aoti_torch_call_dispatcher") == 0 || ShimFunctions.Find("aoti_torch_new_tensor_handle") == 0) return false;
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
