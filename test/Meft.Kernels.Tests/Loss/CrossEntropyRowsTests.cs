using CsCheck;
using Meft.Kernels.Loss;
using Meft.Kernels.Tests.Rows;

namespace Meft.Kernels.Tests.Loss;

/// <summary>Losses and gradients against plain loops in float64.</summary>
public unsafe class CrossEntropyRowsTests
{
    private static readonly Gen<FloatFormat> AnyFormat = Gen.Bool.Select(narrow => narrow ? FloatFormat.BFloat16 : FloatFormat.Single);

    [Fact]
    public void Losses_and_gradients_agree_with_plain_loops() =>
        Gen.Select(AnyFormat, Gen.Int[1, 12], Gen.Int[1, 3000], Gen.Int[0, 1000], Gen.Float[0.1f, 60]).Sample((format, rows, classes, seed, spread) =>
        {
            using var logits = Logits(format, rows * classes, seed, spread);
            var x = Enumerable.Range(0, logits.Count).Select(i => (double)logits[i]).ToArray();
            long[] targets = [.. Enumerable.Range(0, rows).Select(row => (long)(row * 7919 + seed) % classes)];
            var losses = Run(logits, format, targets, classes, scale: 0.25);
            for (var row = 0; row < rows; row++)
            {
                var own = x.AsSpan(row * classes, classes).ToArray();
                var largest = own.Max();
                var sum = own.Sum(value => Math.Exp(value - largest));
                var expected = Math.Log(sum) + largest - own[targets[row]];
                Assert.True(Math.Abs(losses[row] - expected) <= 2e-6 * (1 + Math.Abs(expected)), $"loss {losses[row]} against {expected}");
                for (var i = 0; i < classes; i++)
                {
                    var p = Math.Exp(own[i] - largest) / sum;
                    var gradient = 0.25 * (i == targets[row] ? -own.Where((_, other) => other != i).Sum(v => Math.Exp(v - largest)) / sum : p);
                    logits.ShouldBeNear(row * classes + i, gradient, roundings: 1, Math.Abs(gradient) + 1e-6);
                }
            }
        }, iter: 100);

    [Theory]
    [InlineData(77)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public void A_target_that_is_no_class_is_refused(long target)
    {
        using var logits = Logits(FloatFormat.Single, 3 * 77, 1, 5);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Run(logits, FloatFormat.Single, [0, target, 76], 77, scale: 1));
        Assert.Contains("[0, 77)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FloatFormat.Single)]
    [InlineData(FloatFormat.BFloat16)]
    public void Without_a_gradient_the_logits_stay(FloatFormat format)
    {
        using FormattedRow logits = Logits(format, 3 * 77, 1, 5), same = Logits(format, 3 * 77, 1, 5);
        Run(logits, format, [0, 5, 76], 77, scale: null);
        for (var i = 0; i < logits.Count; i++) Assert.Equal(same[i], logits[i]);
    }

    [Theory]
    [InlineData(FloatFormat.Single)]
    [InlineData(FloatFormat.BFloat16)]
    public void The_thread_count_changes_no_bit(FloatFormat format)
    {
        const int Rows = 40, Classes = 20_000;
        var threads = KernelThreads.Count;
        long[] targets = [.. Enumerable.Range(0, Rows).Select(row => (long)row * 400)];
        try
        {
            using FormattedRow one = Logits(format, Rows * Classes, 3, 9), many = Logits(format, Rows * Classes, 3, 9);
            KernelThreads.Count = 1;
            var first = Run(one, format, targets, Classes, 1);
            KernelThreads.Count = 4;
            Assert.Equal(first, Run(many, format, targets, Classes, 1));
            for (var i = 0; i < one.Count; i++) Assert.Equal(one[i], many[i]);
        }
        finally
        {
            KernelThreads.Count = threads;
        }
    }

    [Theory]
    [InlineData(FloatFormat.Single)]
    [InlineData(FloatFormat.BFloat16)]
    public void One_class_is_certain(FloatFormat format)
    {
        using var logits = new FormattedRow(format, 1) { [0] = 3 };
        Assert.Equal([0.0], Run(logits, format, [0], 1, 1));
        Assert.Equal(0, logits[0]);
    }

    [Theory]
    [InlineData(FloatFormat.Single)]
    [InlineData(FloatFormat.BFloat16)]
    public void Excluded_classes_and_huge_logits_do_no_harm(FloatFormat format)
    {
        foreach (var classes in new[] { 2, 33, 100 })
        {
            using var logits = new FormattedRow(format, classes);
            for (var i = 0; i < classes; i++) logits[i] = float.NegativeInfinity;
            logits[0] = 1e30f;
            logits[classes - 1] = 1e30f;
            var losses = Run(logits, format, [classes - 1], classes, 1);
            // bfloat16 rows are summed in float32, whose exponential of 0 is 1 within one unit in the last place.
            Assert.Equal(Math.Log(2), losses[0], format == FloatFormat.Single ? 1e-12 : 2e-7);
            Assert.Equal(-0.5f, logits[classes - 1]);
            Assert.Equal(0.5f, logits[0]);
            for (var i = 1; i < classes - 1; i++) Assert.Equal(0, logits[i]);
        }
    }

    [Theory]
    [InlineData(FloatFormat.Single, float.NaN)]
    [InlineData(FloatFormat.BFloat16, float.NaN)]
    [InlineData(FloatFormat.Single, float.PositiveInfinity)]
    [InlineData(FloatFormat.BFloat16, float.PositiveInfinity)]
    public void What_is_not_a_number_shows_in_the_loss_wherever_it_stands(FloatFormat format, float value)
    {
        for (var at = 0; at < 100; at++)
        {
            using var logits = Logits(format, 100, at, 3);
            logits[at] = value;
            Assert.False(double.IsFinite(Run(logits, format, [50], 100, 1)[0]), $"place {at}");
        }
    }

    [Theory]
    [InlineData(FloatFormat.Single)]
    [InlineData(FloatFormat.BFloat16)]
    public void An_excluded_target_costs_infinitely_much(FloatFormat format)
    {
        using var logits = Logits(format, 100, 1, 3);
        logits[7] = float.NegativeInfinity;
        Assert.Equal(double.PositiveInfinity, Run(logits, format, [7], 100, null)[0]);
    }

    private static FormattedRow Logits(FloatFormat format, int count, int seed, float spread)
    {
        var logits = new FormattedRow(format, count, seed);
        for (var i = 0; i < count; i++) logits[i] *= spread;
        return logits;
    }

    private static double[] Run(FormattedRow logits, FloatFormat format, long[] targets, int classes, double? scale)
    {
        var losses = new double[targets.Length];
        fixed (long* target = targets)
        fixed (double* loss = losses) CrossEntropyRows.Apply(logits.Address, format, target, targets.Length, classes, scale, loss);
        return losses;
    }
}
