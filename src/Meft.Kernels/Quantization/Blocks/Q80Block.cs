using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>Q8_0: half d; 32 signed bytes. w = d·q.</summary>
internal readonly unsafe struct Q80Block : IBlockFormat
{
    public static int Weights => 32;

    public static int Bytes => 34;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var d = WeightGroup.Half(block);
        WeightGroup.Store<TSimd, TFormat>(WeightGroup.Load(block + 2).AsSByte(), d, weights, 0);
        WeightGroup.Store<TSimd, TFormat>(WeightGroup.Load(block + 18).AsSByte(), d, weights, 16);
    }
}
