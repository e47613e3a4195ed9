using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>
/// Q4_K: halves d and dmin, 12 bytes of scales and minima, 128 bytes of quants: of each 32 bytes the lower halves are 32
/// weights, the upper halves the next 32. w = (d·scale)·q − dmin·minimum.
/// </summary>
internal readonly unsafe struct Q4KBlock : IBlockFormat
{
    public static int Weights => 256;

    public static int Bytes => 144;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var (d, dmin) = (WeightGroup.Half(block), WeightGroup.Half(block + 2));
        for (var group = 0; group < 8; group++)
        {
            var (scale, minimum) = SixBitScales.Get(block + 4, group);
            for (var part = 0; part < 32; part += WeightGroup.Size)
            {
                var bytes = WeightGroup.Load(block + 16 + 32 * (group / 2) + part);
                var quants = group % 2 == 0 ? WeightGroup.Low(bytes) : WeightGroup.High(bytes);
                WeightGroup.Store<TSimd, TFormat>(quants.AsSByte(), d * scale, -(dmin * minimum), weights, 32 * group + part);
            }
        }
    }
}
