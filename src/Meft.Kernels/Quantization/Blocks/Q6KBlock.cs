using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>
/// Q6_K: 128 bytes of lower four bits, 64 bytes of upper two, 16 signed bytes of scales, half d. Each half of the block has 64 and
/// 32 of these bytes for four times 32 weights: lower halves of the first and second 32 bytes, then the upper halves of both; the
/// two-bit planes in the same order. w = (d·scale)·(q − 32).
/// </summary>
internal readonly unsafe struct Q6KBlock : IBlockFormat
{
    public static int Weights => 256;

    public static int Bytes => 210;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var d = WeightGroup.Half(block + 208);
        var zero = Vector128.Create((sbyte)32);
        for (var group = 0; group < 16; group++)
        {
            var (half, plane, part) = (group / 8, group / 2 % 4, group % 2);
            var bytes = WeightGroup.Load(block + 64 * half + 32 * (plane % 2) + 16 * part);
            var low = plane < 2 ? WeightGroup.Low(bytes) : WeightGroup.High(bytes);
            var high = WeightGroup.TwoBits(WeightGroup.Load(block + 128 + 32 * half + 16 * part), 2 * plane);
            var quants = (low | Vector128.ShiftLeft(high, 4)).AsSByte() - zero;
            WeightGroup.Store<TSimd, TFormat>(quants, d * (sbyte)block[192 + group], weights, WeightGroup.Size * group);
        }
    }
}
