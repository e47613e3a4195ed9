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

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1500, "1500")]
    [InlineData(15000, "15k")]
    [InlineData(2_500_000, "2.5M")]
    [InlineData(0.00002, "2e-5")]
    [InlineData(-0.25, "-0.25")]
    public void Labels_are_short(double value, string label) => Axis.Label(value).ShouldBe(label);
}
