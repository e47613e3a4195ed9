using Meft.Kernels.Linear;
using Meft.Kernels.Quantization.Blocks;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization;

/// <summary>The code that decodes the blocks of each format, compiled for each register width and each format of the result.</summary>
internal static unsafe class BlockCode
{
    /// <summary>Weights and bytes of a block.</summary>
    public static (int Weights, int Bytes) Size(BlockFormat format) => format switch
    {
        BlockFormat.Int8 => Size<Int8Block>(),
        BlockFormat.Nf4 => (Nf4Block.Weights, Nf4Block.Bytes),
        BlockFormat.Q40 => Size<Q40Block>(),
        BlockFormat.Q41 => Size<Q41Block>(),
        BlockFormat.Q50 => Size<Q50Block>(),
        BlockFormat.Q51 => Size<Q51Block>(),
        BlockFormat.Q80 => Size<Q80Block>(),
        BlockFormat.Q2K => Size<Q2KBlock>(),
        BlockFormat.Q3K => Size<Q3KBlock>(),
        BlockFormat.Q4K => Size<Q4KBlock>(),
        BlockFormat.Q5K => Size<Q5KBlock>(),
        BlockFormat.Q6K => Size<Q6KBlock>(),
        BlockFormat.IQ4NL => Size<IQ4NLBlock>(),
        BlockFormat.IQ4XS => Size<IQ4XSBlock>(),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    /// <summary>A function of (blocks, scales of NF4 blocks, how many blocks, room for the weights).</summary>
    public static delegate*<byte*, float*, int, nint, void> Find(BlockFormat format, FloatFormat to, SimdWidth width) => width switch
    {
        SimdWidth.Bits512 => Find<Simd512>(format, to),
        SimdWidth.Bits256 => Find<Simd256>(format, to),
        SimdWidth.Bits128 => Find<Simd128>(format, to),
        _ => Find<SimdScalar>(format, to),
    };

    private static delegate*<byte*, float*, int, nint, void> Find<TSimd>(BlockFormat format, FloatFormat to) where TSimd : unmanaged, ISimd<TSimd> =>
        to == FloatFormat.Single ? Find<TSimd, SingleWeights>(format) : Find<TSimd, BFloat16Weights>(format);

    private static delegate*<byte*, float*, int, nint, void> Find<TSimd, TFormat>(BlockFormat format)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat => format switch
        {
            BlockFormat.Int8 => &All<Int8Block, TSimd, TFormat>,
            BlockFormat.Nf4 => &Nf4Block.DecodeAll<TSimd, TFormat>,
            BlockFormat.Q40 => &All<Q40Block, TSimd, TFormat>,
            BlockFormat.Q41 => &All<Q41Block, TSimd, TFormat>,
            BlockFormat.Q50 => &All<Q50Block, TSimd, TFormat>,
            BlockFormat.Q51 => &All<Q51Block, TSimd, TFormat>,
            BlockFormat.Q80 => &All<Q80Block, TSimd, TFormat>,
            BlockFormat.Q2K => &All<Q2KBlock, TSimd, TFormat>,
            BlockFormat.Q3K => &All<Q3KBlock, TSimd, TFormat>,
            BlockFormat.Q4K => &All<Q4KBlock, TSimd, TFormat>,
            BlockFormat.Q5K => &All<Q5KBlock, TSimd, TFormat>,
            BlockFormat.Q6K => &All<Q6KBlock, TSimd, TFormat>,
            BlockFormat.IQ4NL => &All<IQ4NLBlock, TSimd, TFormat>,
            BlockFormat.IQ4XS => &All<IQ4XSBlock, TSimd, TFormat>,
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
        };

    private static (int Weights, int Bytes) Size<TBlock>() where TBlock : IBlockFormat => (TBlock.Weights, TBlock.Bytes);

    private static void All<TBlock, TSimd, TFormat>(byte* blocks, float* scales, int count, nint weights)
        where TBlock : IBlockFormat where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        for (var block = 0; block < count; block++, blocks += TBlock.Bytes, weights += TBlock.Weights * TFormat.Bytes)
            TBlock.Decode<TSimd, TFormat>(blocks, weights);
    }
}
