using System.Runtime.Intrinsics;

namespace Meft.Kernels.Simd;

/// <summary>The register widths that the kernels are compiled for.</summary>
public enum SimdWidth
{
    /// <summary>No vectors.</summary>
    Scalar = 1,

    /// <summary>128 bits, 4 float32.</summary>
    Bits128 = 4,

    /// <summary>256 bits, 8 float32.</summary>
    Bits256 = 8,

    /// <summary>512 bits, 16 float32.</summary>
    Bits512 = 16,
}

/// <summary>What this machine has.</summary>
public static class SimdSupport
{
    /// <summary>The widest width with hardware behind it; every kernel uses it unless told otherwise.</summary>
    public static SimdWidth Widest { get; } =
        Vector512.IsHardwareAccelerated ? SimdWidth.Bits512
        : Vector256.IsHardwareAccelerated ? SimdWidth.Bits256
        : Vector128.IsHardwareAccelerated ? SimdWidth.Bits128
        : SimdWidth.Scalar;
}
