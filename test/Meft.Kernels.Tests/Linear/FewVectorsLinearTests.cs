using CsCheck;
using Meft.Kernels.Linear;
using Meft.Kernels.Quantization;
using Meft.Kernels.Tests.Quantization;
using Meft.Kernels.Tests.Rows;

namespace Meft.Kernels.Tests.Linear;

public unsafe class FewVectorsLinearTests
{
    private static readonly Gen<FloatFormat> AnyFormat = Gen.Bool.Select(narrow => narrow ? FloatFormat.BFloat16 : FloatFormat.Single);

    [Fact]
    public void Products_agree_with_plain_loops() =>
        Gen.Select(AnyFormat, Gen.Int[1, 60], Gen.Int[1, 150], Gen.Int[1, 200], Gen.Bool, Reference.AnyWidth, Gen.Int[0, 1000])
            .Sample((format, count, inputs, outputs, biased, width, seed) =>
            {
                using FormattedRow x = new(format, count * inputs, seed), b = new(format, outputs, seed + 2);
                using FormattedRow w = new(format, outputs * inputs, seed + 1), second = new(format, 5 * inputs, seed + 3);
                using FormattedRow y = new(format, count * outputs), z = new(format, count * 5);
                FewVectorsLinear.Apply(x.Address, count, inputs, format,
                    [new(w.Address, biased ? b.Address : 0, outputs, y.Address), new(second.Address, 0, 5, z.Address)], width);
                ShouldBeProducts(format, x, w, biased ? b : null, count, inputs, outputs, y);
                ShouldBeProducts(format, x, second, null, count, inputs, 5, z);
            }, iter: 200);

    [Fact]
    public void A_vector_gives_the_same_bits_alone_and_among_others_whatever_the_threads()
    {
        const int count = 23, inputs = 301, outputs = 501;
        foreach (var format in Enum.GetValues<FloatFormat>())
        {
            using FormattedRow x = new(format, count * inputs, 1), w = new(format, outputs * inputs, 2), y = new(format, count * outputs);
            FewVectorsLinear.Apply(x.Address, count, inputs, format, [new(w.Address, 0, outputs, y.Address)]);
            var threads = KernelThreads.Count;
            KernelThreads.Count = 1;
            try
            {
                for (var v = 0; v < count; v++)
                {
                    using FormattedRow one = new(format, inputs), result = new(format, outputs);
                    for (var i = 0; i < inputs; i++) one[i] = x[v * inputs + i];
                    FewVectorsLinear.Apply(one.Address, 1, inputs, format, [new(w.Address, 0, outputs, result.Address)]);
                    for (var r = 0; r < outputs; r++) Assert.Equal(result[r], y[v * outputs + r]);
                }
            }
            finally
            {
                KernelThreads.Count = threads;
            }
        }
    }

    [Fact]
    public void Weights_in_blocks_give_the_bits_of_the_plain_weights_that_they_are() =>
        Gen.Select(AnyFormat, BlockSamples.AnyFormat, Gen.Int[1, 60], Gen.Int[1, 3], Gen.Int[1, 90], Reference.AnyWidth, Gen.Int[0, 1000])
            .Sample((format, blocks, count, inBlocks, outputs, width, seed) =>
            {
                var inputs = inBlocks * BlockLayout.BlockOf(blocks).Weights - (blocks == BlockFormat.Nf4 ? seed % 64 : 0);
                var layout = new BlockLayout(blocks, outputs, inputs);
                var bytes = BlockSamples.RandomBytes(layout, seed);
                using FormattedRow x = new(format, count * inputs, seed), b = new(format, outputs, seed + 2);
                using FormattedRow w = new(format, outputs * inputs), y = new(format, count * outputs), plain = new(format, count * outputs);
                fixed (byte* data = bytes)
                {
                    BlockTiles.Decode(new BlockMatrix(layout, (nint)data), 0, outputs, 0, inputs, w.Address, format);
                    FewVectorsLinear.Apply(x.Address, count, inputs, format, [new((nint)data, b.Address, outputs, y.Address, blocks)], width);
                    FewVectorsLinear.Apply(x.Address, count, inputs, format, [new(w.Address, b.Address, outputs, plain.Address)], width);
                }
                for (var i = 0; i < y.Count; i++) Assert.Equal(plain[i], y[i]);
            }, iter: 200);

    private static void ShouldBeProducts(
        FloatFormat format, FormattedRow x, FormattedRow w, FormattedRow? b, int count, int inputs, int outputs, FormattedRow y)
    {
        for (var i = 0; i < count; i++)
            for (var r = 0; r < outputs; r++)
            {
                double expected = b is null ? 0 : b[r], scale = Math.Abs(expected);
                for (var d = 0; d < inputs; d++)
                {
                    var product = (double)x[i * inputs + d] * w[r * inputs + d];
                    expected += product;
                    scale += Math.Abs(product);
                }
                // The sum's own rounding is relative to its terms, the result's to itself.
                y.ShouldBeNear(i * outputs + r, expected, roundings: 1, format == FloatFormat.Single ? 2 * scale : Math.Abs(expected) + 2e-4 * scale);
            }
    }
}
