using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

/// <summary>Matrices of random blocks.</summary>
internal static unsafe class SampleBlocks
{
    /// <summary>[bytes]; the float32 numbers of our own formats are finite.</summary>
    public static Tensor Random(BlockLayout layout, int seed)
    {
        var random = new Random(seed);
        var data = empty(layout.ByteCount, ScalarType.Byte);
        var bytes = (byte*)TensorMemory.Pointer(data);
        random.NextBytes(new Span<byte>(bytes, (int)layout.ByteCount));
        float Scale() => (float)((random.NextDouble() - 0.3) * Math.Pow(2, random.Next(-140, 20)));
        if (layout.Format == BlockFormat.Int8)
            for (long b = 0; b < layout.Blocks; b++) *(float*)(bytes + b * layout.BlockBytes) = Scale();
        if (layout.Format == BlockFormat.Nf4)
            for (var g = 0; g <= layout.ScaleGroups; g++) ((float*)(bytes + layout.GroupsOffset))[g] = Scale();
        return data;
    }

    /// <summary>[rows, columns] quantised.</summary>
    public static Tensor Quantize(Tensor weights, BlockLayout layout)
    {
        var data = empty(layout.ByteCount, ScalarType.Byte);
        BlockQuantizer.Quantize(TensorMemory.Singles(weights), new BlockMatrix(layout, (nint)TensorMemory.Pointer(data)));
        return data;
    }
}
