using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>Int8: float32 scale, a 127th of the block's largest magnitude; 64 signed bytes. w = scale·q.</summary>
internal readonly unsafe struct Int8Block : IBlockFormat
{
    public static int Weights => 64;

    public static int Bytes => sizeof(float) + Weights;

    public static void Decode<TSimd, TFormat>(byte* block, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var scale = Unsafe.ReadUnaligned<float>(block);
        for (var i = 0; i < Weights; i += WeightGroup.Size)
            WeightGroup.Store<TSimd, TFormat>(WeightGroup.Load(block + sizeof(float) + i).AsSByte(), scale, weights, i);
    }
}
