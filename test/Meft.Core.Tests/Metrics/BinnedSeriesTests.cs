using CsCheck;
using Meft.Core.Metrics;
using Shouldly;

namespace Meft.Core.Tests.Metrics;

public class BinnedSeriesTests
{
    [Fact]
    public void A_short_series_is_kept_as_it_is()
    {
        var series = new BinnedSeries(4);
        foreach (var step in new[] { 1, 2, 3 }) series.Add(step, 10 * step);
        series.Add(4, double.NaN);
        series.Bins.ShouldBe([new SeriesBin(1, 1, 10, 10, 10), new SeriesBin(2, 2, 20, 20, 20), new SeriesBin(3, 3, 30, 30, 30)]);
    }

    [Fact]
    public void Steps_share_bins_when_there_are_too_many_and_no_extreme_is_lost()
    {
        var series = new BinnedSeries(8);
        for (var step = 1; step <= 1000; step++) series.Add(step, step == 500 ? 1e6 : step == 501 ? -1e6 : 1);
        series.Bins.Count.ShouldBeInRange(4, 8);
        series.Bins.Max(b => b.Most).ShouldBe(1e6);
        series.Bins.Min(b => b.Least).ShouldBe(-1e6);
        (series.Bins[0].FirstStep, series.Bins[^1].LastStep).ShouldBe((1, 1000));
    }

    [Fact]
    public void Bins_hold_the_mean_of_their_steps_whatever_the_values() =>
        Gen.Double[-10, 10].Array[1, 300].Sample(values =>
        {
            var series = new BinnedSeries(16);
            for (var i = 0; i < values.Length; i++) series.Add(i + 1, values[i]);
            series.Bins.Count.ShouldBeLessThanOrEqualTo(16);
            var next = 1;
            foreach (var bin in series.Bins)
            {
                bin.FirstStep.ShouldBe(next);
                var own = values[(bin.FirstStep - 1)..bin.LastStep];
                bin.Mean.ShouldBe(own.Average(), 1e-9);
                (bin.Least, bin.Most).ShouldBe((own.Min(), own.Max()));
                next = bin.LastStep + 1;
            }
            next.ShouldBe(values.Length + 1);
        });
}
