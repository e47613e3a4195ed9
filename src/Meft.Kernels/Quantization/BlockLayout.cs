namespace Meft.Kernels.Quantization;

/// <summary>
/// Where the blocks of a matrix lie in memory: row after row, a row's last block filled up. With NF4 three things follow the codes of all blocks,
/// in the order of the blocks: a signed byte a block, its scale; a float32 for each <see cref="ScalesOfGroup"/> of these bytes, what they are multiplied
/// by; and one float32, what is added to every scale (QLoRA's double quantisation, arXiv 2305.14314, section 3).
/// </summary>
/// <param name="Format">The format of the blocks.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Weights of a row.</param>
public readonly record struct BlockLayout(BlockFormat Format, int Rows, int Columns)
{
    /// <summary>How many scales of NF4 blocks are quantised together.</summary>
    public const int ScalesOfGroup = 256;

    /// <summary>Weights of a block.</summary>
    public int BlockWeights => BlockCode.Size(Format).Weights;

    /// <summary>Bytes of a block, without the scale of an NF4 block.</summary>
    public int BlockBytes => BlockCode.Size(Format).Bytes;

    /// <summary>Blocks of a row.</summary>
    public int BlocksOfRow => (Columns + BlockWeights - 1) / BlockWeights;

    /// <summary>Blocks of the matrix.</summary>
    public long Blocks => (long)Rows * BlocksOfRow;

    /// <summary>Groups of scales of NF4 blocks.</summary>
    public int ScaleGroups => (int)((Blocks + ScalesOfGroup - 1) / ScalesOfGroup);

    /// <summary>Where the bytes of the scales of NF4 blocks begin.</summary>
    public long ScalesOffset => Blocks * BlockBytes;

    /// <summary>Where the float32 of NF4's groups of scales begin; behind them is the one that is added to all.</summary>
    public long GroupsOffset => (ScalesOffset + Blocks + sizeof(float) - 1) / sizeof(float) * sizeof(float);

    /// <summary>Bytes of the matrix.</summary>
    public long ByteCount => Format == BlockFormat.Nf4 ? GroupsOffset + sizeof(float) * (ScaleGroups + 1L) : Blocks * BlockBytes;

    /// <summary>Weights and bytes of a block of a format, without the scale of an NF4 block.</summary>
    public static (int Weights, int Bytes) BlockOf(BlockFormat format) => BlockCode.Size(format);
}

/// <summary>A matrix in blocks.</summary>
/// <param name="Layout">How it lies.</param>
/// <param name="Data">Where; <see cref="BlockLayout.ByteCount"/> bytes.</param>
public readonly record struct BlockMatrix(BlockLayout Layout, nint Data);
