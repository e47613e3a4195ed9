using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>Q4_1: halves d and m; 16 bytes of quants as in Q4_0. w = d·q + m.</summary>
internal readonly unsafe struct Q41Block : IBlockFormat
{
    public static int Weights => 32;

    public static int Bytes => 20;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var (d, m) = (WeightGroup.Half(block), WeightGroup.Half(block + 2));
        var quants = WeightGroup.Load(block + 4);
        WeightGroup.Store<TSimd, TFormat>(WeightGroup.Low(quants).AsSByte(), d, m, weights, 0);
        WeightGroup.Store<TSimd, TFormat>(WeightGroup.High(quants).AsSByte(), d, m, weights, 16);
    }
}
