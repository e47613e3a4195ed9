using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>
/// Q3_K: 32 bytes of third bits, 64 bytes of lower bits as in Q2_K, 12 bytes of 16 scales of 6 bits, half d. The third bit of
/// weight i of the n-th 32 weights is bit n of byte i. w = (d·(scale − 32))·(q − 4).
/// </summary>
internal readonly unsafe struct Q3KBlock : IBlockFormat
{
    public static int Weights => 256;

    public static int Bytes => 110;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var d = WeightGroup.Half(block + 108);
        var scales = block + 96;
        var zero = Vector128.Create((sbyte)4);
        for (var group = 0; group < 16; group++)
        {
            var (half, plane, part) = (group / 8, group / 2 % 4, group % 2);
            var low = WeightGroup.TwoBits(WeightGroup.Load(block + 32 + 32 * half + 16 * part), 2 * plane);
            var third = WeightGroup.WhereBit(WeightGroup.Load(block + 16 * part), (byte)(1 << group / 2), 4);
            WeightGroup.Store<TSimd, TFormat>((low | third).AsSByte() - zero, d * (Scale(scales, group) - 32), weights, WeightGroup.Size * group);
        }
    }

    // Lower four bits: groups 0–7 in the lower halves of the first 8 bytes, 8–15 in the upper. Upper two bits: in the last 4 bytes.
    private static int Scale(byte* scales, int group)
    {
        var low = group < 8 ? scales[group] & 0xF : scales[group - 8] >> 4;
        return low | (scales[8 + group % 4] >> 2 * (group / 4) & 3) << 4;
    }
}
