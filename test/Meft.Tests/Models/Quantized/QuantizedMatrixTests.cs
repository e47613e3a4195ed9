using Meft.Core.Planning;
using Meft.Kernels.Quantization;
using Meft.Models.Quantized;
using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

public class QuantizedMatrixTests
{
    /// <summary>So many rows that one column of blocks of 256 weights is more than a panel, and is one nevertheless.</summary>
    private const int TallRows = 8200;

    public static TheoryData<BlockFormat> FormatsOfFiles => [.. Enum.GetValues<BlockFormat>().Where(format => format is not (BlockFormat.Int8 or BlockFormat.Nf4))];

    [Theory]
    [InlineData(BlockFormat.Int8, 30, 100)]
    [InlineData(BlockFormat.Nf4, 30, 100)]
    // More weights than a panel, in rows and in columns that make no whole number of panels.
    [InlineData(BlockFormat.Nf4, 1100, 2030)]
    [InlineData(BlockFormat.Int8, 4100, 1030)]
    public void Products_are_those_of_the_plain_weights_that_it_holds(BlockFormat format, int outputs, int inputs)
    {
        using var scope = NewDisposeScope();
        using var panels = new PanelPool();
        var generator = manual_seed(3);
        var layout = new BlockLayout(format, outputs, inputs);
        ShouldMultiplyAsPlain(new QuantizedMatrix(SampleBlocks.Quantize(randn(outputs, inputs, generator: generator), layout), new BlockPanel(layout, Accelerator: false), panels), generator, 1e-6);
    }

    [Theory]
    [MemberData(nameof(FormatsOfFiles))]
    public void So_are_those_of_a_tall_matrix_in_the_blocks_of_a_file(BlockFormat format)
    {
        using var scope = NewDisposeScope();
        using var panels = new PanelPool();
        var layout = new BlockLayout(format, TallRows, 512);
        new BlockPanel(layout, Accelerator: false).Rows.ShouldBeLessThan(TallRows);
        new BlockPanel(layout, Accelerator: false).Columns.ShouldBe(layout.BlockWeights == 256 ? 256 : 224);
        // A sum over so many rows rounds more often.
        ShouldMultiplyAsPlain(new QuantizedMatrix(Finite(layout), new BlockPanel(layout, Accelerator: false), panels), manual_seed(3), 5e-6);
    }

    /// <summary>The way of accelerators, on the CPU; the blocks of a file in more rows and columns than a panel has there.</summary>
    [Theory]
    [InlineData(BlockFormat.Int8, 300, 1030)]
    [InlineData(BlockFormat.Nf4, 300, 1030)]
    [InlineData(BlockFormat.Q4K, 4100, 4352)]
    public void So_are_those_that_operations_on_tensors_decode(BlockFormat format, int outputs, int inputs)
    {
        using var scope = NewDisposeScope();
        using var panels = new PanelPool();
        var generator = manual_seed(3);
        var layout = new BlockLayout(format, outputs, inputs);
        var panel = new BlockPanel(layout, Accelerator: true);
        (panel.Rows < outputs).ShouldBe(format == BlockFormat.Q4K);
        var data = format == BlockFormat.Q4K ? Finite(layout) : SampleBlocks.Quantize(randn(outputs, inputs, generator: generator), layout);
        using var matrix = new QuantizedMatrix(data, panel, panels);
        using var byKernels = new QuantizedMatrix(data, new BlockPanel(layout, Accelerator: false), panels);
        matrix.Decode(float32).data<float>().SequenceEqual(byKernels.Decode(float32).data<float>()).ShouldBeTrue();
        ShouldMultiplyAsPlain(matrix, generator, 5e-6);
    }

    [Theory]
    [InlineData(BlockFormat.Int8)]
    [InlineData(BlockFormat.Nf4)]
    [InlineData(BlockFormat.Q6K)]
    public void Views_of_the_blocks_are_freed_with_it(BlockFormat format)
    {
        using var scope = NewDisposeScope();
        using var panels = new PanelPool();
        var layout = new BlockLayout(format, 16, 512);
        var (data, x) = (SampleBlocks.Random(layout, 1), randn(5, 512));
        TinyDecoder.LiveTensorsAdded(() =>
        {
            using var matrix = new QuantizedMatrix(data, new BlockPanel(layout, Accelerator: true), panels);
            matrix.Map(x, null).Dispose();
        }).ShouldBe(0);
    }

    [Fact]
    public void No_more_than_a_panel_is_plain_at_once()
    {
        foreach (var (outputs, inputs) in new[] { (1100, 2030), (4100, 1030), (4096, 11008), (30, 100) })
        {
            var most = new BlockPanel(new BlockLayout(BlockFormat.Nf4, outputs, inputs), Accelerator: false).Weights;
            most.ShouldBeLessThanOrEqualTo(BlockPanel.MostWeightsOnHost);
            most.ShouldBeGreaterThan(Math.Min(BlockPanel.MostWeightsOnHost, outputs * inputs) * 9 / 10);
        }
    }

    [Fact]
    public void A_column_of_blocks_that_is_more_than_a_panel_is_counted_whole()
    {
        var column = 256L * TallRows;
        column.ShouldBeGreaterThan(BlockPanel.MostWeightsOnHost);
        new BlockPanel(new BlockLayout(BlockFormat.Q4K, TallRows, 512), Accelerator: false).Weights.ShouldBe(column);
        new BlockPanel(new BlockLayout(BlockFormat.Q4K, TallRows, 256), Accelerator: false).Weights.ShouldBe(column);
        new BlockPanel(new BlockLayout(BlockFormat.Q40, TallRows, 512), Accelerator: false).Weights.ShouldBeLessThanOrEqualTo(BlockPanel.MostWeightsOnHost);
    }

    [Fact]
    public void Products_leave_nothing_behind_but_the_panel_that_is_used_again()
    {
        using var panels = new PanelPool();
        using var scope = NewDisposeScope();
        var layout = new BlockLayout(BlockFormat.Int8, 40, 64);
        var matrix = new QuantizedMatrix(SampleBlocks.Quantize(randn(40, 64), layout), new BlockPanel(layout, Accelerator: false), panels);
        var x = randn(5, 64);
        TinyDecoder.LiveTensorsAdded(() =>
        {
            matrix.Map(x, null).Dispose();
            matrix.InputGradient(randn(5, 40)).Dispose();
        }).ShouldBe(1); // the gradient that was drawn
    }

    /// <summary>Both products, against those of the decoded weights in float64.</summary>
    private static void ShouldMultiplyAsPlain(QuantizedMatrix matrix, Generator generator, double tolerance)
    {
        int outputs = matrix.Layout.Rows, inputs = matrix.Layout.Columns;
        var plain = matrix.Decode(float32).to(float64);
        var (x, dy, bias) = (randn(7, inputs, generator: generator), randn(7, outputs, generator: generator), randn(outputs, generator: generator));
        TorchTest.RelativeError(matrix.Map(x, bias), nn.functional.linear(x.to(float64), plain, bias.to(float64))).ShouldBeLessThan(tolerance);
        TorchTest.RelativeError(matrix.InputGradient(dy), dy.to(float64).matmul(plain)).ShouldBeLessThan(tolerance);
    }

    /// <summary>Random blocks of a file's type, all of whose weights are finite.</summary>
    private static unsafe Tensor Finite(BlockLayout layout)
    {
        var data = empty(layout.ByteCount, ScalarType.Byte);
        var bytes = FiniteBlocks.Of(layout.Format, layout.Rows * layout.Columns, 0.05, new Random(3));
        bytes.CopyTo(new Span<byte>(TensorMemory.Pointer(data), bytes.Length));
        return data;
    }
}
