using Meft.Core.Comparisons.Results;
using Meft.Core.Evaluation.Statistics;
using Shouldly;

namespace Meft.Core.Tests.Comparisons.Results;

public sealed class FigureStatisticsTests
{
    [Fact]
    public void A_figure_over_seeds_is_the_mean_of_the_seeds()
    {
        var value = FigureStatistics.Of([Shares(1, 1, 0, 0), Shares(1, 0, 0, 0), Shares(1, 1, 1, 0)], null, isPerplexity: false);
        value.Value.ShouldBe(0.5, 1e-12);
        value.PerSeed.ShouldBe([0.5, 0.25, 0.75]);
        value.Interval!.Low.ShouldBeLessThan(0.5);
        value.Interval.High.ShouldBeGreaterThan(0.5);
        value.ToReference.ShouldBeNull();
    }

    [Fact]
    public void A_perplexity_is_e_to_the_mean_over_tokens()
    {
        var value = FigureStatistics.Of([new FigureNumbers([0, 1], [30, 10], [10, 10])], null, isPerplexity: true);
        value.Value.ShouldBe(Math.Exp(2), 1e-12);
        value.PerSeed.ShouldBe([Math.Exp(2)], 1e-12);
    }

    [Fact]
    public void A_difference_is_paired_records_that_both_get_or_miss_widen_nothing()
    {
        // Of 400 records both get the same half; one gets 20 more. Unpaired, the interval would be about 0.1 wide on either side.
        double[] other = [.. Enumerable.Range(0, 400).Select(i => i % 2 == 0 ? 1.0 : 0)];
        double[] one = [.. other.Select((x, i) => i % 40 == 1 ? 1.0 : x).Select((x, i) => i % 40 == 21 ? 1.0 : x)];
        var value = FigureStatistics.Of([Shares(one)], [Shares(other)], isPerplexity: false);
        value.ToReference!.Value.ShouldBe(0.05, 1e-12);
        value.ToReference.Interval!.Low.ShouldBeGreaterThan(0.02);
        value.ToReference.Interval.High.ShouldBeLessThan(0.08);
    }

    [Fact]
    public void What_is_equal_differs_by_nothing()
    {
        var value = FigureStatistics.Of([Shares(1, 0, 1)], [Shares(1, 0, 1)], isPerplexity: false);
        value.ToReference.ShouldBe(new FigureDifference(0, new ConfidenceInterval(0, 0)));
    }

    [Fact]
    public void Figures_of_other_records_cannot_be_compared() => Should.Throw<ArgumentException>(
        () => FigureStatistics.Of([Shares(1, 0)], [Shares(1, 0, 1)], isPerplexity: false));

    [Fact]
    public void Numbers_come_back_as_the_observations_they_were()
    {
        List<Observation> weighted = [new(0, 0.5, 0.5), new(0, 0, 0.5), new(2, 1, 1)];
        FigureNumbers.Of(weighted).Observations().ShouldBe(weighted);
        FigureNumbers.Of([new(0, 0.5, 1), new(1, 0, 1)]).Below.ShouldBeNull();
    }

    [Fact]
    public void The_mean_of_figures_weighs_each_alike_however_many_numbers_it_has()
    {
        var recall = Shares(1, 1, 1, 0);
        var paraphrase = new FigureNumbers([0, 0, 1, 1, 2, 2, 3, 3], [1, 0, 0, 0, 0, 0, 0, 1], null);
        var mean = FigureStatistics.Of([FigureStatistics.Mean([recall, paraphrase])], null, isPerplexity: false);
        mean.Value.ShouldBe((0.75 + 0.25) / 2, 1e-12);
        mean.Interval!.Low.ShouldBeGreaterThanOrEqualTo(0);
        mean.Interval.High.ShouldBeLessThanOrEqualTo(1);
        FigureStatistics.Mean([recall]).ShouldBeSameAs(recall);
    }

    [Fact]
    public void Worse_beyond_chance_is_what_its_interval_says()
    {
        var (good, alike, bad) = (Alternating(200, 2), Alternating(200, 2, shift: 1), Alternating(200, 5));
        FigureStatistics.IsClearlyWorse(bad, good, "starts_with").ShouldBeTrue();
        FigureStatistics.IsClearlyWorse(good, bad, "starts_with").ShouldBeFalse();
        FigureStatistics.IsClearlyWorse(alike, good, "starts_with").ShouldBeFalse();
        // Of a perplexity more is worse.
        FigureStatistics.IsClearlyWorse(good, bad, "perplexity").ShouldBeTrue();
        FigureStatistics.IsClearlyWorse(bad, good, "perplexity").ShouldBeFalse();

        static FigureNumbers Alternating(int count, int every, int shift = 0) => Shares([.. Enumerable.Range(0, count).Select(i => (i + shift) % every == 0 ? 1.0 : 0)]);
    }

    private static FigureNumbers Shares(params double[] values) => new([.. Enumerable.Range(0, values.Length)], values, null);
}
