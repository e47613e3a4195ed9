using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>Q4_0: half d; 16 bytes of quants, weights 0–15 in the lower halves, 16–31 in the upper. w = d·(q − 8).</summary>
internal readonly unsafe struct Q40Block : IBlockFormat
{
    public static int Weights => 32;

    public static int Bytes => 18;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var d = WeightGroup.Half(block);
        var quants = WeightGroup.Load(block + 2);
        var zero = Vector128.Create((sbyte)8);
        WeightGroup.Store<TSimd, TFormat>(WeightGroup.Low(quants).AsSByte() - zero, d, weights, 0);
        WeightGroup.Store<TSimd, TFormat>(WeightGroup.High(quants).AsSByte() - zero, d, weights, 16);
    }
}
