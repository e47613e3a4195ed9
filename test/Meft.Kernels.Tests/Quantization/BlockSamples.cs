using CsCheck;
using Meft.Kernels.Quantization;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Tests.Quantization;

/// <summary>Matrices in blocks, and the plain loops that say what they hold.</summary>
internal static unsafe class BlockSamples
{
    public static Gen<BlockFormat> AnyFormat { get; } = Gen.Int[0, Enum.GetValues<BlockFormat>().Length - 1].Select(i => Enum.GetValues<BlockFormat>()[i]);

    /// <summary>The two formats that plain weights are put into.</summary>
    public static Gen<BlockFormat> Quantizable { get; } = Gen.Bool.Select(nf4 => nf4 ? BlockFormat.Nf4 : BlockFormat.Int8);

    /// <summary>NF4's values as QLoRA's appendix E lists them, to the digits that float32 has.</summary>
    public static float[] Nf4Values { get; } =
    [
        -1.0f, -0.6961928f, -0.52507305f, -0.3949175f, -0.28444138f, -0.18477343f, -0.091050036f, 0.0f,
        0.0795803f, 0.1609302f, 0.2461123f, 0.33791524f, 0.44070983f, 0.562617f, 0.72295684f, 1.0f,
    ];

    /// <summary>Any bytes, but for float32 numbers that are not finite: no file's half is excluded.</summary>
    public static byte[] RandomBytes(BlockLayout layout, int seed)
    {
        var bytes = new byte[layout.ByteCount];
        new Random(seed).NextBytes(bytes);
        var scales = Reference.Random((int)layout.Blocks + 2, seed + 1);
        fixed (byte* data = bytes)
        {
            if (layout.Format == BlockFormat.Int8)
                for (long b = 0; b < layout.Blocks; b++) *(float*)(data + b * layout.BlockBytes) = scales[b];
            if (layout.Format == BlockFormat.Nf4)
                for (var g = 0; g <= layout.ScaleGroups; g++) ((float*)(data + layout.GroupsOffset))[g] = scales[g];
        }
        return bytes;
    }

    /// <summary>All weights as float32, one part at a time and without vectors.</summary>
    public static float[] Decoded(BlockLayout layout, byte[] bytes, SimdWidth width = SimdWidth.Scalar)
    {
        var weights = new float[layout.Rows * layout.Columns];
        fixed (byte* data = bytes)
        fixed (float* to = weights)
            BlockTiles.Decode(new BlockMatrix(layout, (nint)data), 0, layout.Rows, 0, layout.Columns, (nint)to, FloatFormat.Single, width);
        return weights;
    }

    /// <summary>The definition of the formats that plain weights are put into.</summary>
    public static float[] Defined(BlockLayout layout, byte[] bytes)
    {
        var weights = new float[layout.Rows * layout.Columns];
        fixed (byte* data = bytes)
        {
            for (var r = 0; r < layout.Rows; r++)
                for (var c = 0; c < layout.Columns; c++)
                {
                    var block = (long)r * layout.BlocksOfRow + c / 64;
                    var i = c % 64;
                    if (layout.Format == BlockFormat.Int8)
                    {
                        var start = data + block * 68;
                        weights[r * layout.Columns + c] = *(float*)start * (sbyte)start[4 + i];
                        continue;
                    }
                    var two = data[block * 32 + i / 32 * 16 + i % 16];
                    var code = i % 32 < 16 ? two & 15 : two >> 4;
                    weights[r * layout.Columns + c] = Nf4Values[code] * Nf4Scale(layout, data, block);
                }
        }
        return weights;
    }

    public static float Nf4Scale(BlockLayout layout, byte* data, long block)
    {
        var groups = (float*)(data + layout.GroupsOffset);
        return (sbyte)data[layout.ScalesOffset + block] * groups[block / 256] + groups[layout.ScaleGroups];
    }
}
