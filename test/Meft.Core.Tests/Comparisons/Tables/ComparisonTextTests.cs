using Meft.Core.Comparisons.Tables;
using Meft.Core.Evaluation.Results;
using Shouldly;

namespace Meft.Core.Tests.Comparisons.Tables;

public class ComparisonTextTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(328_204_288, "313 MiB")]
    [InlineData(double.NaN, "NaN B")]
    public void Bytes_have_a_binary_unit(double bytes, string text) => ComparisonText.Bytes(bytes).ShouldBe(text);

    [Theory]
    [InlineData(192, "192")]
    [InlineData(117_390, "117 k")]
    [InlineData(72_990_720, "73.0 M")]
    [InlineData(1_141_309_440, "1.14 G")]
    public void Counts_have_a_decimal_unit(double count, string text) => ComparisonText.Count(count).ShouldBe(text);

    [Theory]
    [InlineData(0.473, "0.473")]
    [InlineData(1.596, "1.60")]
    [InlineData(1234.2, "1,234")]
    [InlineData(0, "0.000")]
    public void Seconds_have_three_digits(double seconds, string text) => ComparisonText.Seconds(seconds).ShouldBe(text);

    [Theory]
    [InlineData(0.002, "0.002")]
    [InlineData(0.0005, "0.0005")]
    [InlineData(0.00002, "2e-5")]
    public void Rates_are_short(double rate, string text) => ComparisonText.Rate(rate).ShouldBe(text);

    [Fact]
    public void Figures_carry_their_interval()
    {
        ComparisonText.Figure(0.984, new(0.975, 0.992), MetricUnit.Share).ShouldBe("98.4 [97.5, 99.2]");
        ComparisonText.Figure(22.126, new(9.5, 25.01), MetricUnit.Number).ShouldBe("22.13 [9.50, 25.01]"); // digits of the value
        ComparisonText.Figure(3.09871, null, MetricUnit.Number).ShouldBe("3.099");
        ComparisonText.Figure(double.PositiveInfinity, new(12, double.NaN), MetricUnit.Number).ShouldBe("∞ [1.20e+1, NaN]");
        ComparisonText.Difference(0.031, new(-0.01, 0.0521), MetricUnit.Share).ShouldBe("+3.1 [-1.0, +5.2]");
        ComparisonText.Difference(-0.0004, null, MetricUnit.Share).ShouldBe("+0.0");
    }
}
