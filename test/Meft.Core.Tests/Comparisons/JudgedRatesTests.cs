using Meft.Core.Comparisons;
using Meft.Core.Comparisons.Results;
using Shouldly;

namespace Meft.Core.Tests.Comparisons;

public sealed class JudgedRatesTests
{
    [Fact]
    public void All_figures_count_and_a_gain_by_chance_does_not()
    {
        // The first figure alone would take 1e-3; the mean is best at 4e-3, by two records of four hundred more than at 2e-3.
        var rates = new JudgedRates([1e-3, 2e-3, 4e-3, 8e-3], 0, "starts_with");
        var figures = new Dictionary<double, (int Recall, int Paraphrase)> { [1e-3] = (200, 20), [2e-3] = (190, 100), [4e-3] = (190, 102), [8e-3] = (100, 20) };
        while (rates.Next() is { } rate)
            rates.Add(rate, [Shares(figures[rate].Recall), Shares(figures[rate].Paraphrase)]).ShouldNotBeNull().ShouldBe((figures[rate].Recall + figures[rate].Paraphrase) / 400.0, 1e-9);
        rates.Chosen.ShouldBe(2e-3);
        rates.IsAtEdge.ShouldBeFalse();
    }

    [Fact]
    public void Of_a_perplexity_the_lowest_is_the_best_and_a_run_that_failed_has_no_score()
    {
        var rates = new JudgedRates([1e-3, 2e-3, 4e-3], 0, "perplexity");
        while (rates.Next() is { } rate)
        {
            var losses = rate == 4e-3 ? null : new FigureNumbers([.. Enumerable.Range(0, 50)], [.. Enumerable.Range(0, 50).Select(i => (rate == 2e-3 ? 2.0 : 3.0) + 0.01 * i)], null);
            var score = rates.Add(rate, losses is null ? null : [losses]);
            if (losses is null) score.ShouldBeNull();
            else score.ShouldNotBeNull().ShouldBe(Math.Exp(losses.Above.Average()), 1e-9);
        }
        rates.Chosen.ShouldBe(2e-3);
    }

    [Fact]
    public void A_rate_that_does_well_with_one_seed_alone_is_not_taken()
    {
        var rates = new JudgedRates([1e-3, 2e-3, 4e-3], 0, "starts_with");
        var figures = new Dictionary<double, int[]> { [1e-3] = [100, 100], [2e-3] = [150, 150], [4e-3] = [190, 20] };
        while (rates.Next() is { } rate) rates.Add(rate, [.. figures[rate].Select(Shares)]).ShouldNotBeNull().ShouldBe(figures[rate].Sum() / 400.0, 1e-9);
        rates.Chosen.ShouldBe(2e-3);
    }

    [Fact]
    public void Where_every_run_fails_there_is_none()
    {
        var rates = new JudgedRates([1e-3, 2e-3], 3, "starts_with");
        while (rates.Next() is { } rate) rates.Add(rate, null);
        rates.Chosen.ShouldBeNull();
    }

    /// <summary>Of 200 records so many are right, the first ones.</summary>
    private static FigureNumbers Shares(int right) => new([.. Enumerable.Range(0, 200)], [.. Enumerable.Range(0, 200).Select(i => i < right ? 1.0 : 0)], null);
}
