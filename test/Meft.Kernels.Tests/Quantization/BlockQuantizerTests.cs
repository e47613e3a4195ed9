using CsCheck;
using Meft.Kernels.Quantization;

namespace Meft.Kernels.Tests.Quantization;

public unsafe class BlockQuantizerTests
{
    private const double Rounding = 1e-6;

    /// <summary>Half of the widest gap between two of NF4's values, in scales: that between −1 and the next one.</summary>
    private const double HalfGap = (1 - 0.6961928) / 2;

    [Fact]
    public void Int8_moves_no_weight_further_than_half_a_scale() =>
        Gen.Select(Gen.Int[1, 30], Gen.Int[1, 300], Gen.Double[-6, 3], Gen.Int[0, 1000]).Sample((rows, columns, exponent, seed) =>
        {
            var (weights, layout, bytes) = Quantized(BlockFormat.Int8, rows, columns, Math.Pow(10, exponent), seed);
            var decoded = BlockSamples.Decoded(layout, bytes);
            ForEachBlock(layout, (_, indices) =>
            {
                var largest = indices.Max(i => Math.Abs((double)weights[i]));
                foreach (var i in indices)
                    Assert.True(Math.Abs((double)weights[i] - decoded[i]) <= largest * (1.0 / 254 + Rounding), $"{weights[i]} became {decoded[i]} beside {largest}");
            });
        }, iter: 200);

    [Fact]
    public void Int8_has_the_bits_of_the_plain_formula_down_to_the_least_numbers() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 200], Gen.Int[-45, 37], Gen.Int[0, 1000]).Sample((rows, columns, exponent, seed) =>
        {
            var weights = Reference.Random(rows * columns, seed);
            for (var i = 0; i < weights.Length; i++) weights[i] = (float)(weights[i] * Math.Pow(10, exponent));
            var (layout, bytes) = Quantize(BlockFormat.Int8, rows, columns, weights);
            ForEachBlock(layout, (block, indices) =>
            {
                var at = (int)block * 68;
                var scale = indices.Max(i => MathF.Abs(weights[i])) / 127;
                Assert.Equal(scale, BitConverter.ToSingle(bytes, at));
                var codes = indices.Select(i => scale > 0 ? (sbyte)Math.Clamp(MathF.Round(weights[i] / scale), -127, 127) : (sbyte)0);
                Assert.Equal(codes, bytes[(at + 4)..(at + 4 + indices.Length)].Select(b => (sbyte)b));
            });
        }, iter: 300);

    [Theory]
    [InlineData(BlockFormat.Int8)]
    [InlineData(BlockFormat.Nf4)]
    public void A_weight_that_is_no_number_is_noticed_wherever_it_stands(BlockFormat format)
    {
        var layout = new BlockLayout(format, 1, 128);
        var bytes = new byte[layout.ByteCount];
        for (var place = 0; place < 128; place++)
        {
            var weights = Reference.Random(128, 1);
            weights[place] = float.NaN;
            fixed (float* from = weights)
            fixed (byte* to = bytes)
                Assert.False(BlockQuantizer.Quantize(from, new BlockMatrix(layout, (nint)to)));
        }
    }

    [Fact]
    public void Int8_takes_the_nearest_multiple_and_of_two_the_even_one()
    {
        // A scale of 1: the weights are codes, some of them half way between two.
        var weights = Reference.Random(150, 6);
        for (var i = 0; i < weights.Length; i++) weights[i] = i % 3 == 0 ? MathF.Round(100 * weights[i]) + 0.5f : 60 * weights[i];
        weights[7] = weights[70] = weights[149] = -127;
        var (layout, bytes) = Quantize(BlockFormat.Int8, 1, 150, [.. weights.Select(w => Math.Clamp(w, -127, 127))]);
        Assert.Equal(weights.Select(w => Math.Clamp(MathF.Round(w), -127, 127)), BlockSamples.Decoded(layout, bytes));
    }

    [Fact]
    public void Nf4_moves_no_weight_further_than_half_the_gap_it_lies_in_and_the_change_of_its_scale() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 300], Gen.Double[-6, 3], Gen.Int[0, 1000]).Sample((rows, columns, exponent, seed) =>
        {
            var (weights, layout, bytes) = Quantized(BlockFormat.Nf4, rows, columns, Math.Pow(10, exponent), seed);
            var decoded = BlockSamples.Decoded(layout, bytes);
            var scales = new double[layout.Blocks];
            ForEachBlock(layout, (block, indices) => scales[block] = indices.Max(i => Math.Abs((double)weights[i])));
            var mean = scales.Average();
            fixed (byte* fixedBytes = bytes)
            {
                var data = fixedBytes;
                ForEachBlock(layout, (block, indices) =>
                {
                    var group = scales.Skip((int)block / 256 * 256).Take(256);
                    var moved = Math.Abs(scales[block] - BlockSamples.Nf4Scale(layout, data, block));
                    Assert.True(moved <= group.Max(s => Math.Abs(s - mean)) / 254 + Rounding * scales.Max(), $"the scale {scales[block]} moved by {moved}");
                    foreach (var i in indices)
                    {
                        var error = Math.Abs((double)weights[i] - decoded[i]);
                        Assert.True(error <= HalfGap * scales[block] + moved + Rounding * scales[block], $"{weights[i]} became {decoded[i]} beside {scales[block]}");
                    }
                });
            }
        }, iter: 100);

    [Fact]
    public void Nf4_takes_the_nearest_of_its_values()
    {
        // Equal scales change nothing when they are quantised: the second row repeats the first block.
        var weights = Reference.Random(64, 3);
        weights[5] = 1;
        var (layout, bytes) = Quantize(BlockFormat.Nf4, 1, 64, weights);
        var decoded = BlockSamples.Decoded(layout, bytes);
        for (var i = 0; i < 64; i++)
            Assert.Equal(BlockSamples.Nf4Values.MinBy(v => Math.Abs((double)v - weights[i])), decoded[i]);
    }

    [Fact]
    public void Nf4_takes_the_lower_of_two_values_at_their_midpoint_and_the_upper_beyond_it()
    {
        var values = BlockSamples.Nf4Values;
        var weights = new float[64];
        for (var v = 0; v < 15; v++)
        {
            weights[v] = 0.5f * (values[v] + values[v + 1]);
            weights[32 + v] = MathF.BitIncrement(weights[v]);
        }
        weights[63] = 1;
        var (layout, bytes) = Quantize(BlockFormat.Nf4, 1, 64, weights);
        var decoded = BlockSamples.Decoded(layout, bytes);
        Assert.Equal(values.Take(15), decoded[..15]);
        Assert.Equal(values.Skip(1), decoded[32..47]);
    }

    [Theory]
    [InlineData(BlockFormat.Int8)]
    [InlineData(BlockFormat.Nf4)]
    public void Zeros_stay_zeros_beside_large_weights(BlockFormat format)
    {
        var weights = Reference.Random(64 * 5, 3);
        Array.Clear(weights, 64, 64);
        var (layout, bytes) = Quantize(format, 5, 64, weights);
        Assert.All(BlockSamples.Decoded(layout, bytes).Skip(64).Take(64), w => Assert.Equal(0f, w));
    }

    [Theory]
    [InlineData(BlockFormat.Int8, float.NaN)]
    [InlineData(BlockFormat.Int8, float.PositiveInfinity)]
    [InlineData(BlockFormat.Nf4, float.NaN)]
    [InlineData(BlockFormat.Nf4, float.NegativeInfinity)]
    public void Weights_that_are_not_finite_are_noticed(BlockFormat format, float bad)
    {
        var layout = new BlockLayout(format, 3, 70);
        var weights = Reference.Random(3 * 70, 1);
        weights[180] = bad;
        var bytes = new byte[layout.ByteCount];
        fixed (float* from = weights)
        fixed (byte* to = bytes)
            Assert.False(BlockQuantizer.Quantize(from, new BlockMatrix(layout, (nint)to)));
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        foreach (var format in new[] { BlockFormat.Int8, BlockFormat.Nf4 })
        {
            var weights = Reference.Random(301 * 500, 2);
            var (layout, many) = Quantize(format, 301, 500, weights);
            var decoded = BlockSamples.Decoded(layout, many);
            var threads = KernelThreads.Count;
            KernelThreads.Count = 1;
            try
            {
                Assert.Equal(many, Quantize(format, 301, 500, weights).Bytes);
                Assert.Equal(decoded, BlockSamples.Decoded(layout, many));
            }
            finally
            {
                KernelThreads.Count = threads;
            }
        }
    }

    [Theory]
    [InlineData(BlockFormat.Int8, 1)]
    [InlineData(BlockFormat.Nf4, 1)]
    [InlineData(BlockFormat.Int8, 7)]
    [InlineData(BlockFormat.Nf4, 7)]
    public void Rows_in_parts_have_the_bits_of_all_at_once(BlockFormat format, int step)
    {
        const int rows = 30, columns = 100;
        var weights = Reference.Random(rows * columns, 4);
        var (layout, whole) = Quantize(format, rows, columns, weights);
        var (bytes, largest) = (new byte[layout.ByteCount], new float[layout.Blocks]);
        fixed (float* from = weights)
        fixed (byte* to = bytes)
        {
            var matrix = new BlockMatrix(layout, (nint)to);
            for (var row = 0; row < rows; row += step)
                BlockQuantizer.QuantizeRows(from + row * columns, row, Math.Min(step, rows - row), matrix, largest);
            Assert.True(BlockQuantizer.Finish(matrix, largest));
        }
        Assert.Equal(whole, bytes);
    }

    [Theory]
    [InlineData(BlockFormat.Int8, 4096, 4096, 8.5)]
    [InlineData(BlockFormat.Nf4, 4096, 4096, 4.127)]
    public void A_weight_takes_so_many_bits(BlockFormat format, int rows, int columns, double bits) =>
        Assert.Equal(bits, 8.0 * new BlockLayout(format, rows, columns).ByteCount / rows / columns, 3);

    private static (float[] Weights, BlockLayout Layout, byte[] Bytes) Quantized(BlockFormat format, int rows, int columns, double size, int seed)
    {
        // Rows of very different size, as few models have them.
        var weights = Reference.Random(rows * columns, seed);
        for (var i = 0; i < weights.Length; i++) weights[i] *= (float)(size * Math.Pow(2, i / columns % 9));
        var (layout, bytes) = Quantize(format, rows, columns, weights);
        return (weights, layout, bytes);
    }

    private static (BlockLayout Layout, byte[] Bytes) Quantize(BlockFormat format, int rows, int columns, float[] weights)
    {
        var layout = new BlockLayout(format, rows, columns);
        var bytes = new byte[layout.ByteCount];
        fixed (float* from = weights)
        fixed (byte* to = bytes)
            Assert.True(BlockQuantizer.Quantize(from, new BlockMatrix(layout, (nint)to)));
        return (layout, bytes);
    }

    private static void ForEachBlock(BlockLayout layout, Action<long, int[]> look)
    {
        for (var r = 0; r < layout.Rows; r++)
            for (var b = 0; b < layout.BlocksOfRow; b++)
                look((long)r * layout.BlocksOfRow + b, [.. Enumerable.Range(b * 64, Math.Min(64, layout.Columns - b * 64)).Select(c => r * layout.Columns + c)]);
    }
}
