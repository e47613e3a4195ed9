using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>IQ4_NL: half d; 16 bytes of quants as in Q4_0. w = d·value(q).</summary>
internal readonly unsafe struct IQ4NLBlock : IBlockFormat
{
    public static int Weights => 32;

    public static int Bytes => 18;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var d = WeightGroup.Half(block);
        var quants = WeightGroup.Load(block + 2);
        WeightGroup.Store<TSimd, TFormat>(UnevenScale.Get(WeightGroup.Low(quants)), d, weights, 0);
        WeightGroup.Store<TSimd, TFormat>(UnevenScale.Get(WeightGroup.High(quants)), d, weights, 16);
    }
}
