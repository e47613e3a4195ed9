using System.Runtime.Intrinsics;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>The sixteen values of the IQ4 types, denser near zero.</summary>
internal static class UnevenScale
{
    private static readonly Vector128<sbyte> Values =
        Vector128.Create((sbyte)-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

    /// <summary>The values of sixteen quants from 0 to 15.</summary>
    public static Vector128<sbyte> Get(Vector128<byte> quants) => Vector128.Shuffle(Values, quants.AsSByte());
}
