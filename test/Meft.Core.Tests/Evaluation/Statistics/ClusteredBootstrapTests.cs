using CsCheck;
using Meft.Core.Evaluation.Statistics;
using Shouldly;

namespace Meft.Core.Tests.Evaluation.Statistics;

public class ClusteredBootstrapTests
{
    [Fact]
    public void The_ratio_weighs_observations()
    {
        ClusteredBootstrap.Ratio([new(0, 1, 1), new(1, 6, 3)]).ShouldBe(7.0 / 4);
        double.IsNaN(ClusteredBootstrap.Ratio([])).ShouldBeTrue();
    }

    [Fact]
    public void One_cluster_has_no_interval() => ClusteredBootstrap.Interval([new(3, 1, 1), new(3, 0, 1)], 0).ShouldBeNull();

    [Fact]
    public void The_interval_of_a_share_is_that_of_its_binomial_distribution()
    {
        // 400 rows, half of them right: the standard error is 0.025, so the interval is about 0.5 ± 0.049.
        var rows = Enumerable.Range(0, 400).Select(i => new Observation(i, i % 2, 1)).ToList();
        var interval = ClusteredBootstrap.Interval(rows, 1)!;
        interval.Low.ShouldBe(0.451, 0.006);
        interval.High.ShouldBe(0.549, 0.006);
    }

    [Fact]
    public void Rows_of_a_cluster_count_as_one()
    {
        // The same 400 rows in 40 clusters that are wholly right or wrong: the standard error is √10 times as large.
        var rows = Enumerable.Range(0, 400).Select(i => new Observation(i / 10, i / 10 % 2, 1)).ToList();
        var interval = ClusteredBootstrap.Interval(rows, 1)!;
        interval.Low.ShouldBe(0.345, 0.02);
        interval.High.ShouldBe(0.655, 0.02);
    }

    [Fact]
    public void An_interval_is_ordered_the_same_for_a_seed_and_within_the_clusters_own_ratios() =>
        Gen.Select(Gen.Select(Gen.Int[0, 5], Gen.Double[0, 1]).Array[2, 20], Gen.Int[0, 1000]).Sample((rows, seed) =>
        {
            var observations = rows.Select(row => new Observation(row.Item1, row.Item2, 1)).ToList();
            var interval = ClusteredBootstrap.Interval(observations, seed);
            if (interval is null)
            {
                observations.DistinctBy(o => o.Cluster).Count().ShouldBe(1);
                return;
            }
            interval.ShouldBe(ClusteredBootstrap.Interval(observations, seed));
            interval.Low.ShouldBeLessThanOrEqualTo(interval.High);
            interval.Low.ShouldBeGreaterThanOrEqualTo(rows.Min(row => row.Item2) - 1e-9);
            interval.High.ShouldBeLessThanOrEqualTo(rows.Max(row => row.Item2) + 1e-9);
        }, iter: 50);

    [Fact]
    public void Indices_are_drawn_evenly()
    {
        var draws = new RandomIndices(7);
        var counts = new int[5];
        for (var i = 0; i < 50_000; i++) counts[draws.Below(5)]++;
        // Five standard deviations of a count of 10,000 are 447.
        counts.ShouldAllBe(count => Math.Abs(count - 10_000) < 450);
    }
}
