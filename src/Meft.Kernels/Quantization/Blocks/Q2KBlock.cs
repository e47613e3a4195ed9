using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>
/// Q2_K: 16 bytes, scale (lower half) and minimum (upper half) of each group; 64 bytes of quants; halves d and dmin. Each half of
/// the block has 32 bytes of quants, whose two-bit planes are its 32 weights after 32 weights. w = (d·scale)·q − dmin·minimum.
/// </summary>
internal readonly unsafe struct Q2KBlock : IBlockFormat
{
    public static int Weights => 256;

    public static int Bytes => 84;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var (d, dmin) = (WeightGroup.Half(block + 80), WeightGroup.Half(block + 82));
        for (var group = 0; group < 16; group++)
        {
            var (half, plane, part) = (group / 8, group / 2 % 4, group % 2);
            var quants = WeightGroup.TwoBits(WeightGroup.Load(block + 16 + 32 * half + 16 * part), 2 * plane);
            var scale = d * (block[group] & 0xF);
            var minimum = dmin * (block[group] >> 4);
            WeightGroup.Store<TSimd, TFormat>(quants.AsSByte(), scale, -minimum, weights, WeightGroup.Size * group);
        }
    }
}
