using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>
/// IQ4_XS: half d; 8 scales of 6 bits, their upper two bits in 16 bits, their lower four in 4 bytes; 8 times 16 bytes of quants as
/// in Q4_0. w = (d·(scale − 32))·value(q).
/// </summary>
internal readonly unsafe struct IQ4XSBlock : IBlockFormat
{
    public static int Weights => 256;

    public static int Bytes => 136;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var d = WeightGroup.Half(block);
        var upper = WeightGroup.Bits16(block + 2);
        for (var group = 0; group < 8; group++)
        {
            var lower = block[4 + group / 2] >> 4 * (group % 2) & 0xF;
            var scale = d * ((lower | (upper >> 2 * group & 3) << 4) - 32);
            var quants = WeightGroup.Load(block + 8 + 16 * group);
            WeightGroup.Store<TSimd, TFormat>(UnevenScale.Get(WeightGroup.Low(quants)), scale, weights, 32 * group);
            WeightGroup.Store<TSimd, TFormat>(UnevenScale.Get(WeightGroup.High(quants)), scale, weights, 32 * group + 16);
        }
    }
}
