using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>Q5_1: halves d and m; 32 fifth bits, one a weight; 16 bytes of lower bits as in Q4_0. w = d·q + m.</summary>
internal readonly unsafe struct Q51Block : IBlockFormat
{
    public static int Weights => 32;

    public static int Bytes => 24;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var (d, m) = (WeightGroup.Half(block), WeightGroup.Half(block + 2));
        var fifth = WeightGroup.Bits32(block + 4);
        var quants = WeightGroup.Load(block + 8);
        var low = WeightGroup.Low(quants) | WeightGroup.WhereBit((ushort)fifth, 16);
        var high = WeightGroup.High(quants) | WeightGroup.WhereBit((ushort)(fifth >> 16), 16);
        WeightGroup.Store<TSimd, TFormat>(low.AsSByte(), d, m, weights, 0);
        WeightGroup.Store<TSimd, TFormat>(high.AsSByte(), d, m, weights, 16);
    }
}
