using CsCheck;
using Meft.Reporting;
using Shouldly;

namespace Meft.Tests.Reporting;

public class AxisTests
{
    [Fact]
    public void Ticks_are_round_and_hold_the_numbers()
    {
        Axis.Over(1.37, 2.91, 5).Ticks.Select(Axis.Label).ShouldBe(["1", "1.5", "2", "2.5", "3"]);
        Axis.Over(0.2, 0.9, 5, fromZero: true).Ticks.Select(Axis.Label).ShouldBe(["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        Axis.Over(3e-5, 2e-3, 4, fromZero: true).Ticks.Select(Axis.Label).ShouldBe(["0", "5e-4", "0.001", "0.0015", "0.002"]);
        Axis.OverSteps(1, 60, 6).Ticks.Select(Axis.Label).ShouldBe(["10", "20", "30", "40", "50", "60"]);
        var single = Axis.OverSteps(7, 7, 6);
        single.Ticks.ShouldBe([7]); // no step that there is not
        single.Place(7).ShouldBe(0.5);
    }

    [Fact]
    public void Numbers_over_decades_stand_on_a_logarithmic_axis_where_that_is_allowed()
    {
        var axis = Axis.Over(0.01, 500, 5, mayBeLogarithmic: true);
        axis.IsLogarithmic.ShouldBeTrue();
        axis.Ticks.Select(Axis.Label).ShouldBe(["0.01", "0.1", "1", "10", "100", "1000"]);
        axis.Place(1).ShouldBe(0.4, 1e-12);
        Axis.Over(0.01, 500, 5).IsLogarithmic.ShouldBeFalse();
    }

    [Fact]
    public void Every_number_lies_within_its_axis() =>
        Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[0, 1e6], Gen.Bool, Gen.Bool).Sample((least, range, log, zero) =>
        {
            var axis = Axis.Over(least, least + range, 5, log, zero);
            axis.Place(least).ShouldBeInRange(-1e-6, 1 + 1e-6);
            axis.Place(least + range).ShouldBeInRange(-1e-6, 1 + 1e-6);
            axis.Ticks.Count.ShouldBeInRange(2, 12);
        });

    [Fact]
    public void An_axis_over_factors_has_round_ticks_and_holds_the_numbers()
    {
        Axis.OverFactors(1_024, 65_536, 9, ofTwo: true).Ticks.ShouldBe([1024, 2048, 4096, 8192, 16384, 32768, 65536]);
        Axis.OverFactors(2.4e6, 1.14e9, 7).Ticks.ShouldBe([1e7, 1e8, 1e9]);
        Axis.OverFactors(5e-4, 4e-3, 7).Ticks.Select(Axis.Label).ShouldBe(["5e-4", "0.001", "0.002"]);
        var narrow = Axis.OverFactors(0.47, 0.72, 7);
        narrow.Ticks.Select(Axis.Label).ShouldBe(["0.5", "0.6", "0.7", "0.8"]);
        narrow.Place(Math.Sqrt(0.47 * 0.72)).ShouldBe(0.5, 1e-9);
        Gen.Select(Gen.Double[-9, 9], Gen.Double[0, 9], Gen.Int[2, 9], Gen.Bool).Sample((least, decades, ticks, ofTwo) =>
        {
            var axis = Axis.OverFactors(Math.Pow(10, least), Math.Pow(10, least + decades), ticks, ofTwo);
            axis.Place(Math.Pow(10, least)).ShouldBeInRange(0, 0.5 + 1e-9);
            axis.Place(Math.Pow(10, least + decades)).ShouldBeInRange(0.5 - 1e-9, 1);
            axis.Ticks.Count.ShouldBeLessThanOrEqualTo(ticks);
            axis.Ticks.ShouldAllBe(t => axis.Place(t) >= -1e-9 && axis.Place(t) <= 1 + 1e-9);
        });
    }

    [Fact]
    public void An_axis_over_bytes_has_ticks_of_a_binary_unit()
    {
        Axis.OverBytes(313 << 20, 2310L << 20, 6).Ticks.Select(ReportText.Bytes).ShouldBe(["0 B", "512 MiB", "1 GiB", "1.5 GiB", "2 GiB", "2.5 GiB"]);
        Axis.OverBytes(10 << 20, 1L << 30, 8).Ticks.Select(ReportText.Bytes).ShouldBe(["8 MiB", "16 MiB", "32 MiB", "64 MiB", "128 MiB", "256 MiB", "512 MiB", "1 GiB"]);
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1500, "1500")]
    [InlineData(15000, "15k")]
    [InlineData(2_500_000, "2.5M")]
    [InlineData(0.00002, "2e-5")]
    [InlineData(-0.25, "-0.25")]
    public void Labels_are_short(double value, string label) => Axis.Label(value).ShouldBe(label);
}
