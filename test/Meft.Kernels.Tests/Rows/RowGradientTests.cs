using CsCheck;
using Meft.Kernels.Rows;

namespace Meft.Kernels.Tests.Rows;

/// <summary>The row kernels' gradients against plain loops, in both formats.</summary>
public unsafe class RowGradientTests
{
    private static readonly Gen<FloatFormat> AnyFormat = Gen.Bool.Select(narrow => narrow ? FloatFormat.BFloat16 : FloatFormat.Single);

    [Fact]
    public void Gradients_of_norms_agree_with_plain_loops() =>
        Gen.Select(AnyFormat, Gen.Int[1, 70], Gen.Int[1, 700], Gen.Int[0, 1000]).Sample((format, rows, width, seed) =>
        {
            using FormattedRow x = new(format, rows * width, seed), weight = new(format, width, seed + 1), dy = new(format, rows * width, seed + 2);
            using var dx = new FormattedRow(format, rows * width);
            RootMeanSquareGradient.Apply(x.Address, weight.Address, dy.Address, format, 1e-5, rows, width, dx.Address);
            for (var row = 0; row < rows; row++)
            {
                double squares = 0, products = 0, size = 0;
                for (var i = 0; i < width; i++)
                {
                    double a = x[row * width + i], g = (double)weight[i] * dy[row * width + i];
                    squares += a * a;
                    products += a * g;
                    size += Math.Abs(a * g);
                }
                var r = 1 / Math.Sqrt(squares / width + 1e-5);
                for (var i = 0; i < width; i++)
                {
                    double a = x[row * width + i], g = (double)weight[i] * dy[row * width + i];
                    var scale = r * Math.Abs(g) + Math.Abs(a) * r * r * r * size / width;
                    dx.ShouldBeNear(row * width + i, r * g - a * r * r * r * products / width, roundings: 4, scale);
                }
            }
        }, iter: 100);

    [Fact]
    public void Gradients_of_gated_products_agree_with_plain_loops() =>
        Gen.Select(AnyFormat, Gen.Int[1, 20_000], Gen.Int[0, 1000]).Sample((format, count, seed) =>
        {
            using FormattedRow gate = new(format, count, seed), up = new(format, count, seed + 1), dy = new(format, count, seed + 2);
            using FormattedRow dGate = new(format, count), dUp = new(format, count);
            for (var i = 0; i < count; i++) gate[i] *= 20;
            GatedGradient.Apply(GateActivation.Silu, gate.Address, up.Address, dy.Address, format, count, dGate.Address, dUp.Address);
            for (var i = 0; i < count; i++)
            {
                double g = gate[i], u = up[i], d = dy[i], s = 1 / (1 + Math.Exp(-g));
                dGate.ShouldBeNear(i, d * u * s * (1 + g * (1 - s)), roundings: 4, Math.Abs(d * u) * s * (1 + Math.Abs(g) * (1 - s)));
                dUp.ShouldBeNear(i, d * g * s, roundings: 2);
            }
        }, iter: 50);

    [Fact]
    public void Gradients_of_products_gated_by_gelu_agree_with_plain_loops() =>
        Gen.Select(AnyFormat, Gen.Int[1, 20_000], Gen.Int[0, 1000]).Sample((format, count, seed) =>
        {
            using FormattedRow gate = new(format, count, seed), up = new(format, count, seed + 1), dy = new(format, count, seed + 2);
            using FormattedRow dGate = new(format, count), dUp = new(format, count);
            for (var i = 0; i < count; i++) gate[i] *= 4;
            GatedGradient.Apply(GateActivation.GeluTanh, gate.Address, up.Address, dy.Address, format, count, dGate.Address, dUp.Address);
            for (var i = 0; i < count; i++)
            {
                double g = gate[i], root = Math.Sqrt(2 / Math.PI), t = Math.Tanh(root * (g + 0.044715 * g * g * g));
                var slope = 0.5 * (1 + t) + 0.5 * g * (1 - t * t) * root * (1 + 3 * 0.044715 * g * g);
                dGate.ShouldBeNear(i, dy[i] * (double)up[i] * slope, roundings: 4, Math.Abs(dy[i] * (double)up[i]) * (1 + Math.Abs(slope)));
                dUp.ShouldBeNear(i, dy[i] * g * 0.5 * (1 + t), roundings: 2, Math.Abs(dy[i] * g));
            }
        }, iter: 50);

    [Fact]
    public void Gradients_may_take_the_place_of_what_came_in()
    {
        const int Rows = 9, Width = 100;
        using FormattedRow x = new(FloatFormat.BFloat16, Rows * Width, 1), weight = new(FloatFormat.BFloat16, Width, 2);
        using FormattedRow dy = new(FloatFormat.BFloat16, Rows * Width, 3), dx = new(FloatFormat.BFloat16, Rows * Width);
        RootMeanSquareGradient.Apply(x.Address, weight.Address, dy.Address, FloatFormat.BFloat16, 1e-5, Rows, Width, dx.Address);
        RootMeanSquareGradient.Apply(x.Address, weight.Address, dy.Address, FloatFormat.BFloat16, 1e-5, Rows, Width, dy.Address);
        for (var i = 0; i < dx.Count; i++) Assert.Equal(dx[i], dy[i]);
    }
}
