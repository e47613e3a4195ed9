using Meft.Core.Planning;
using Meft.Kernels.Quantization;
using Meft.Models.Quantized;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

public class QuantizedMatrixTests
{
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
        var matrix = new QuantizedMatrix(SampleBlocks.Quantize(randn(outputs, inputs, generator: generator), layout), layout, panels);
        var plain = matrix.Decode(float32).to(float64);
        var (x, dy, bias) = (randn(7, inputs, generator: generator), randn(7, outputs, generator: generator), randn(outputs, generator: generator));
        TorchTest.RelativeError(matrix.Map(x, bias), nn.functional.linear(x.to(float64), plain, bias.to(float64))).ShouldBeLessThan(1e-6);
        TorchTest.RelativeError(matrix.InputGradient(dy), dy.to(float64).matmul(plain)).ShouldBeLessThan(1e-6);
    }

    [Fact]
    public void No_more_than_a_panel_is_plain_at_once()
    {
        foreach (var (outputs, inputs) in new[] { (1100, 2030), (4100, 1030), (4096, 11008), (30, 100) })
        {
            var most = QuantizedMatrix.PanelWeights(new BlockLayout(BlockFormat.Nf4, outputs, inputs));
            most.ShouldBeLessThanOrEqualTo(QuantizedBase.PanelWeights);
            most.ShouldBeGreaterThan(Math.Min(QuantizedBase.PanelWeights, outputs * inputs) * 9 / 10);
        }
    }

    [Fact]
    public void Products_leave_nothing_behind_but_the_panel_that_is_used_again()
    {
        using var panels = new PanelPool();
        using var scope = NewDisposeScope();
        var layout = new BlockLayout(BlockFormat.Int8, 40, 64);
        var matrix = new QuantizedMatrix(SampleBlocks.Quantize(randn(40, 64), layout), layout, panels);
        var x = randn(5, 64);
        TinyDecoder.LiveTensorsAdded(() =>
        {
            matrix.Map(x, null).Dispose();
            matrix.InputGradient(randn(5, 40)).Dispose();
        }).ShouldBe(1); // the gradient that was drawn
    }
}
