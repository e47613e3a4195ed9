using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>
/// Q5_K: as Q4_K, with 32 bytes of fifth bits before the quants: that of weight i of group n is bit n of byte i.
/// w = (d·scale)·q − dmin·minimum.
/// </summary>
internal readonly unsafe struct Q5KBlock : IBlockFormat
{
    public static int Weights => 256;

    public static int Bytes => 176;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var (d, dmin) = (WeightGroup.Half(block), WeightGroup.Half(block + 2));
        for (var group = 0; group < 8; group++)
        {
            var (scale, minimum) = SixBitScales.Get(block + 4, group);
            for (var part = 0; part < 32; part += WeightGroup.Size)
            {
                var bytes = WeightGroup.Load(block + 48 + 32 * (group / 2) + part);
                var low = group % 2 == 0 ? WeightGroup.Low(bytes) : WeightGroup.High(bytes);
                var fifth = WeightGroup.WhereBit(WeightGroup.Load(block + 16 + part), (byte)(1 << group), 16);
                WeightGroup.Store<TSimd, TFormat>((low | fifth).AsSByte(), d * scale, -(dmin * minimum), weights, 32 * group + part);
            }
        }
    }
}
