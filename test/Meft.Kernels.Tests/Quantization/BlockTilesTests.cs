using CsCheck;
using Meft.Kernels.Quantization;
using Meft.Kernels.Tests.Rows;

namespace Meft.Kernels.Tests.Quantization;

public unsafe class BlockTilesTests
{
    [Fact]
    public void Int8_and_Nf4_are_what_they_are_defined_to_be() =>
        Gen.Select(BlockSamples.Quantizable, Gen.Int[0, 40], Gen.Int[0, 300], Reference.AnyWidth, Gen.Int[0, 1000]).Sample((format, rows, columns, width, seed) =>
        {
            var layout = new BlockLayout(format, rows, columns);
            var bytes = BlockSamples.RandomBytes(layout, seed);
            Assert.Equal(BlockSamples.Defined(layout, bytes), BlockSamples.Decoded(layout, bytes, width));
        }, iter: 200);

    [Fact]
    public void Every_width_gives_the_bits_of_no_vectors_at_all() =>
        Gen.Select(BlockSamples.AnyFormat, Gen.Int[1, 12], Gen.Int[1, 3], Reference.AnyWidth, Gen.Int[0, 1000]).Sample((format, rows, blocks, width, seed) =>
        {
            var layout = new BlockLayout(format, rows, blocks * BlockLayout.BlockOf(format).Weights);
            var bytes = BlockSamples.RandomBytes(layout, seed);
            Assert.Equal(Bits(BlockSamples.Decoded(layout, bytes)), Bits(BlockSamples.Decoded(layout, bytes, width)));
        }, iter: 400);

    [Fact]
    public void Any_part_in_either_format_is_that_part_of_the_whole() =>
        Gen.Select(BlockSamples.AnyFormat, Gen.Int[1, 20], Gen.Int[1, 700], Gen.Bool, Reference.AnyWidth, Gen.Int[0, 1000])
            .Sample((format, rows, columns, narrow, width, seed) =>
            {
                var random = new Random(seed);
                var weights = BlockLayout.BlockOf(format).Weights;
                var layout = new BlockLayout(format, rows, columns);
                var bytes = BlockSamples.RandomBytes(layout, seed);
                var whole = BlockSamples.Decoded(layout, bytes);
                int row = random.Next(rows), count = random.Next(rows - row + 1);
                int from = random.Next(layout.BlocksOfRow), to = random.Next(from, layout.BlocksOfRow + 1);
                var (column, end) = (from * weights, Math.Min(columns, to * weights));
                var type = narrow ? FloatFormat.BFloat16 : FloatFormat.Single;
                using var part = new FormattedRow(type, count * (end - column));
                using var expected = new FormattedRow(type, 1);
                fixed (byte* data = bytes)
                    BlockTiles.Decode(new BlockMatrix(layout, (nint)data), row, count, column, end - column, part.Address, type, width);
                for (var r = 0; r < count; r++)
                    for (var c = column; c < end; c++)
                    {
                        expected[0] = whole[(row + r) * columns + c];
                        Assert.Equal(expected[0], part[r * (end - column) + c - column]);
                    }
            }, iter: 300);

    [Fact]
    public void A_part_must_begin_with_a_block() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockTiles.Decode(new BlockMatrix(new BlockLayout(BlockFormat.Int8, 1, 128), 0), 0, 1, 32, 64, 0, FloatFormat.Single));

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
