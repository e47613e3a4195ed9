using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization;

/// <summary>
/// Parts of a matrix in blocks as plain numbers. A number depends on its block alone: the bits are the same at every width, with any number of threads
/// and in any part.
/// </summary>
[SkipLocalsInit]
public static unsafe class BlockTiles
{
    /// <summary>Weights that are worth handing to another thread.</summary>
    private const int WeightsOfRange = 1 << 14;

    private const int MostBlockWeights = 256, ScalesAtOnce = 64;

    /// <summary>weights[r, c] = matrix[row + r, column + c], rounded to the format.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="column">The first column; where a block begins.</param>
    /// <param name="columns">How many; whole blocks, but for the last one of a row.</param>
    /// <param name="weights">[rows, columns], written.</param>
    /// <param name="format">Their format.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Decode(
        BlockMatrix matrix, int row, int rows, int column, int columns, nint weights, FloatFormat format, SimdWidth? width = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(column % matrix.Layout.BlockWeights, 0);
        if (columns == 0) return;
        var work = new Work(new TileDecoder(matrix, format, width), row, column, columns, weights);
        KernelThreads.For(rows, Math.Max(1, WeightsOfRange / columns), ref work);
    }

    /// <summary>Decodes blocks that lie one after another, of any format but <see cref="BlockFormat.Nf4"/>, whose blocks are nothing without their scales.</summary>
    /// <param name="format">The format.</param>
    /// <param name="blocks">The blocks.</param>
    /// <param name="count">How many.</param>
    /// <param name="weights">Room for their weights.</param>
    /// <param name="to">The format of these.</param>
    public static void DecodeBlocks(BlockFormat format, byte* blocks, int count, nint weights, FloatFormat to)
    {
        if (format == BlockFormat.Nf4) throw new ArgumentOutOfRangeException(nameof(format), format, null);
        BlockCode.Find(format, to, SimdSupport.Widest)(blocks, null, count, weights);
    }

    private readonly struct Work(TileDecoder decoder, int row, int column, int columns, nint weights) : IRangeWork
    {
        public void Run(int from, int to)
        {
            for (var r = from; r < to; r++) decoder.DecodeRow(row + r, column, columns, FloatRows.At(weights, (long)r * columns, decoder.Format));
        }
    }

    /// <summary>What decodes rows of one matrix.</summary>
    internal readonly struct TileDecoder
    {
        private readonly BlockLayout _layout;
        private readonly byte* _data;
        private readonly delegate*<byte*, float*, int, nint, void> _decode;
        private readonly int _blockWeights, _blockBytes, _blocksOfRow;

        public TileDecoder(BlockMatrix matrix, FloatFormat format, SimdWidth? width)
        {
            (_layout, Format) = (matrix.Layout, format);
            _data = (byte*)matrix.Data;
            (_blockWeights, _blockBytes) = BlockCode.Size(_layout.Format);
            _blocksOfRow = _layout.BlocksOfRow;
            _decode = BlockCode.Find(_layout.Format, format, width ?? SimdSupport.Widest);
        }

        public FloatFormat Format { get; }

        /// <summary>Columns of a row, from the beginning of a block.</summary>
        public void DecodeRow(int row, int column, int columns, nint weights)
        {
            var block = (long)row * _blocksOfRow + column / _blockWeights;
            var whole = columns / _blockWeights;
            DecodeBlocks(block, whole, weights);
            var rest = columns - whole * _blockWeights;
            if (rest == 0) return;
            var last = stackalloc float[MostBlockWeights];
            DecodeBlocks(block + whole, 1, (nint)last);
            var bytes = rest * (Format == FloatFormat.Single ? sizeof(float) : sizeof(ushort));
            Buffer.MemoryCopy(last, (void*)FloatRows.At(weights, (long)whole * _blockWeights, Format), bytes, bytes);
        }

        private void DecodeBlocks(long first, int count, nint weights)
        {
            if (_layout.Format != BlockFormat.Nf4)
            {
                _decode(_data + first * _blockBytes, null, count, weights);
                return;
            }
            var scales = stackalloc float[ScalesAtOnce];
            for (var done = 0; done < count; done += ScalesAtOnce)
            {
                var some = Math.Min(ScalesAtOnce, count - done);
                ReadScales(first + done, some, scales);
                _decode(_data + (first + done) * _blockBytes, scales, some, FloatRows.At(weights, (long)done * _blockWeights, Format));
            }
        }

        private void ReadScales(long first, int count, float* scales)
        {
            var codes = (sbyte*)_data + _layout.ScalesOffset;
            var groups = (float*)(_data + _layout.GroupsOffset);
            var mean = groups[_layout.ScaleGroups];
            for (var i = 0; i < count; i++) scales[i] = codes[first + i] * groups[(first + i) / BlockLayout.ScalesOfGroup] + mean;
        }
    }
}
