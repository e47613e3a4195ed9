using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>Q5_0: half d; 32 fifth bits, one a weight; 16 bytes of lower bits as in Q4_0. w = d·(q − 16).</summary>
internal readonly unsafe struct Q50Block : IBlockFormat
{
    public static int Weights => 32;

    public static int Bytes => 22;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var d = WeightGroup.Half(block);
        var fifth = WeightGroup.Bits32(block + 2);
        var quants = WeightGroup.Load(block + 6);
        var zero = Vector128.Create((sbyte)16);
        var low = WeightGroup.Low(quants) | WeightGroup.WhereBit((ushort)fifth, 16);
        var high = WeightGroup.High(quants) | WeightGroup.WhereBit((ushort)(fifth >> 16), 16);
        WeightGroup.Store<TSimd, TFormat>(low.AsSByte() - zero, d, weights, 0);
        WeightGroup.Store<TSimd, TFormat>(high.AsSByte() - zero, d, weights, 16);
    }
}
