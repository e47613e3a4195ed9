using CsCheck;
using Meft.Kernels.Rows;

namespace Meft.Kernels.Tests.Rows;

/// <summary>Every row kernel against plain loops, in both formats, over sizes that leave tails and that need several threads.</summary>
public unsafe class RowKernelTests
{
    private static readonly Gen<FloatFormat> AnyFormat = Gen.Bool.Select(narrow => narrow ? FloatFormat.BFloat16 : FloatFormat.Single);

    [Fact]
    public void Norms_agree_with_plain_loops() =>
        Gen.Select(AnyFormat, Gen.Int[1, 70], Gen.Int[1, 700], Gen.Enum<WeightScaling>(), Gen.Int[0, 1000]).Sample((format, rows, width, scaling, seed) =>
        {
            using FormattedRow x = new(format, rows * width, seed), weight = new(format, width, seed + 1), y = new(format, rows * width);
            RootMeanSquareRows.Apply(x.Address, weight.Address, format, 1e-5, rows, width, y.Address, scaling);
            // Of float32 a sum of 700 squares in at least eight lanes of two may be off by 47 half ulps of 6e-8, halved by the root, and six operations follow: 30, six units.
            var roundings = format == FloatFormat.Single ? 6 : scaling == WeightScaling.AfterRounding ? 2 : 1;
            for (var row = 0; row < rows; row++)
            {
                var squares = 0.0;
                for (var i = 0; i < width; i++) squares += (double)x[row * width + i] * x[row * width + i];
                var scale = 1 / Math.Sqrt(squares / width + 1e-5);
                for (var i = 0; i < width; i++) y.ShouldBeNear(row * width + i, x[row * width + i] * scale * (scaling == WeightScaling.OnePlusWeight ? 1 + weight[i] : weight[i]), roundings);
            }
        }, iter: 100);

    [Fact]
    public void Turned_pairs_agree_with_plain_loops_and_turn_back() =>
        Gen.Select(AnyFormat, Gen.Int[1, 40], Gen.Int[1, 9], Gen.Int[1, 40], Gen.Int[0, 9], Gen.Int[0, 1000]).Sample((format, tokens, heads, half, rest, seed) =>
        {
            var size = 2 * half + rest;
            using FormattedRow x = new(format, tokens * heads * size, seed), y = new(format, tokens * heads * size), back = new(format, tokens * heads * size);
            using FormattedRow cosine = new(format, tokens * half), sine = new(format, tokens * half);
            for (var i = 0; i < tokens * half; i++) (cosine[i], sine[i]) = (MathF.Cos(i), MathF.Sin(i));
            RotaryRows.Apply(x.Address, cosine.Address, sine.Address, format, tokens, heads, size, 2 * half, y.Address);
            RotaryRows.Apply(y.Address, cosine.Address, sine.Address, format, tokens, heads, size, 2 * half, back.Address, inverse: true);
            for (var t = 0; t < tokens; t++)
                for (var h = 0; h < heads; h++)
                {
                    for (var i = 2 * half; i < size; i++) Assert.Equal(x[(t * heads + h) * size + i], y[(t * heads + h) * size + i]);
                    for (var i = 0; i < half; i++)
                    {
                        int first = (t * heads + h) * size + i, second = first + half;
                        float c = cosine[t * half + i], s = sine[t * half + i];
                        var largest = Math.Abs(x[first]) + Math.Abs(x[second]);
                        y.ShouldBeNear(first, (double)x[first] * c - (double)x[second] * s, roundings: 2, largest);
                        y.ShouldBeNear(second, (double)x[second] * c + (double)x[first] * s, roundings: 2, largest);
                        back.ShouldBeNear(first, x[first], roundings: 8, largest);
                    }
                }
        }, iter: 100);

    [Fact]
    public void Gated_products_agree_with_plain_loops() =>
        Gen.Select(AnyFormat, Gen.Int[1, 20_000], Gen.Int[0, 1000]).Sample((format, count, seed) =>
        {
            using FormattedRow gate = new(format, count, seed), up = new(format, count, seed + 1), y = new(format, count);
            for (var i = 0; i < count; i++) gate[i] = gate[i] * 20;
            GatedRows.Apply(GateActivation.Silu, gate.Address, up.Address, format, count, y.Address);
            for (var i = 0; i < count; i++) y.ShouldBeNear(i, gate[i] / (1 + Math.Exp(-gate[i])) * up[i], roundings: 2);
        }, iter: 50);

    [Fact]
    public void Products_gated_by_gelu_agree_with_plain_loops() =>
        Gen.Select(AnyFormat, Gen.Int[1, 20_000], Gen.Int[0, 1000]).Sample((format, count, seed) =>
        {
            using FormattedRow gate = new(format, count, seed), up = new(format, count, seed + 1), y = new(format, count);
            for (var i = 0; i < count; i++) gate[i] = gate[i] * 4;
            GatedRows.Apply(GateActivation.GeluTanh, gate.Address, up.Address, format, count, y.Address);
            for (var i = 0; i < count; i++)
            {
                double g = gate[i], half = 0.5 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (g + 0.044715 * g * g * g)));
                // The exponent itself is rounded: e^−z is off by z roundings.
                y.ShouldBeNear(i, g * half * up[i], roundings: 2, Math.Abs(g * half * up[i]) * (format == FloatFormat.Single ? 20 : 1));
            }
        }, iter: 50);

    [Fact]
    public void A_factor_on_the_addend_is_rounded_before_the_sum()
    {
        using FormattedRow a = new(FloatFormat.BFloat16, 100, 1), b = new(FloatFormat.BFloat16, 100, 2), y = new(FloatFormat.BFloat16, 100);
        using FormattedRow product = new(FloatFormat.BFloat16, 100), expected = new(FloatFormat.BFloat16, 100);
        RowAddition.Apply(a.Address, b.Address, FloatFormat.BFloat16, 100, y.Address, 0.3f);
        for (var i = 0; i < 100; i++) product[i] = b[i] * 0.3f;
        for (var i = 0; i < 100; i++) expected[i] = a[i] + product[i];
        for (var i = 0; i < 100; i++) Assert.Equal(expected[i], y[i]);
    }

    [Fact]
    public void Sums_are_rounded_once() =>
        Gen.Select(AnyFormat, Gen.Int[1, 40_000], Gen.Int[0, 1000]).Sample((format, count, seed) =>
        {
            using FormattedRow a = new(format, count, seed), b = new(format, count, seed + 1), y = new(format, count), expected = new(format, count);
            RowAddition.Apply(a.Address, b.Address, format, count, y.Address);
            for (var i = 0; i < count; i++) expected[i] = a[i] + b[i];
            for (var i = 0; i < count; i++) Assert.Equal(expected[i], y[i]);
        }, iter: 50);

    [Fact]
    public void Conversion_there_and_back_keeps_every_number()
    {
        const int count = 70_001;
        foreach (var format in Enum.GetValues<FloatFormat>())
        {
            using FormattedRow source = new(format, count, 3), back = new(format, count);
            var single = new float[count];
            fixed (float* at = single)
            {
                RowConversion.ToSingle(source.Address, format, at, count);
                RowConversion.FromSingle(at, back.Address, format, count);
            }
            for (var i = 0; i < count; i++)
            {
                Assert.Equal(source[i], single[i]);
                Assert.Equal(source[i], back[i]);
            }
        }
    }

    [Fact]
    public void Rounding_goes_to_the_nearest_even_and_keeps_what_is_not_finite()
    {
        // Enough numbers for whole registers, so that both the registers' and the single numbers' rounding are seen.
        foreach (var count in new[] { 3, 64 })
        {
            ShouldAdd(count, 1f, 1f / 256, 1f);                       // halfway: to the even neighbour below
            ShouldAdd(count, 1f + 1f / 128, 1f / 256, 1f + 1f / 64); // halfway: to the even neighbour above
            ShouldAdd(count, float.NaN, 1f, float.NaN);
            ShouldAdd(count, float.NegativeInfinity, 1f, float.NegativeInfinity);
        }
    }

    private static void ShouldAdd(int count, float a, float b, float sum)
    {
        using FormattedRow left = new(FloatFormat.BFloat16, count), right = new(FloatFormat.BFloat16, count);
        for (var i = 0; i < count; i++) (left[i], right[i]) = (a, b);
        RowAddition.Apply(left.Address, right.Address, FloatFormat.BFloat16, count, left.Address);
        left.ShouldAllBe(sum);
    }
}
