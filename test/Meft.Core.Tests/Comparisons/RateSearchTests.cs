using Meft.Core.Comparisons;
using Shouldly;

namespace Meft.Core.Tests.Comparisons;

public sealed class RateSearchTests
{
    [Fact]
    public void Tries_what_is_named_and_stops_where_the_best_lies_within()
    {
        var (search, tried) = Run([1e-3, 2e-3, 4e-3], 3, rate => -Math.Abs(rate - 2e-3));
        tried.ShouldBe([1e-3, 2e-3, 4e-3]);
        search.Best.ShouldBe(2e-3);
        search.IsAtEdge.ShouldBeFalse();
    }

    [Fact]
    public void Follows_a_best_rate_at_the_upper_end_until_it_lies_within()
    {
        var (search, tried) = Run([1e-3, 2e-3], 3, rate => -Math.Abs(rate - 4e-3));
        tried.ShouldBe([1e-3, 2e-3, 4e-3, 8e-3]);
        search.Best.ShouldBe(4e-3);
        search.IsAtEdge.ShouldBeFalse();
    }

    [Fact]
    public void Follows_a_best_rate_at_the_lower_end_and_gives_up_after_so_many()
    {
        var (search, tried) = Run([1e-3, 3e-3], 2, rate => -rate);
        tried.ShouldBe([1e-3, 3e-3, 3.33e-4, 1.11e-4]);
        search.Best.ShouldBe(1.11e-4);
        search.IsAtEdge.ShouldBeTrue();
    }

    [Fact]
    public void A_run_that_failed_is_never_the_best_and_the_search_goes_no_further_that_way()
    {
        var (search, tried) = Run([1e-3, 2e-3, 4e-3], 3, rate => rate > 2e-3 ? double.NaN : rate);
        tried.ShouldBe([1e-3, 2e-3, 4e-3]);
        search.Best.ShouldBe(2e-3);
        search.IsAtEdge.ShouldBeFalse();
    }

    [Fact]
    public void Of_equal_scores_the_least_rate_is_taken()
    {
        var (search, _) = Run([1e-3, 2e-3, 4e-3, 8e-3], 0, rate => rate < 2e-3 ? 0 : 1);
        search.Best.ShouldBe(2e-3);
    }

    [Fact]
    public void Where_every_rate_fails_lower_ones_are_tried()
    {
        var (search, tried) = Run([4e-3, 8e-3], 3, rate => rate > 1e-3 ? double.NaN : rate);
        tried.ShouldBe([4e-3, 8e-3, 2e-3, 1e-3, 5e-4]);
        search.Best.ShouldBe(1e-3);
        search.IsAtEdge.ShouldBeFalse();
    }

    [Fact]
    public void Where_every_run_fails_there_is_no_rate()
    {
        var (search, tried) = Run([1e-3, 2e-3], 3, _ => double.NaN);
        tried.ShouldBe([1e-3, 2e-3, 5e-4, 2.5e-4, 1.25e-4]);
        search.Best.ShouldBeNull();
        search.IsAtEdge.ShouldBeFalse();
    }

    [Fact]
    public void A_single_rate_is_followed_by_halves_and_doubles()
    {
        var (search, tried) = Run([1e-3], 1, rate => -Math.Abs(rate - 2e-3));
        tried.ShouldBe([1e-3, 5e-4, 2e-3]);
        search.Best.ShouldBe(2e-3);
        search.IsAtEdge.ShouldBeTrue();
    }

    [Theory]
    [InlineData(0.0, 4e-3)] // all that is less is clearly worse
    [InlineData(0.15, 2e-3)]
    [InlineData(0.35, 1e-3)]
    public void Chosen_is_the_least_rate_before_a_clearly_worse_one(double chance, double expected)
    {
        var scores = new Dictionary<double, double> { [5e-4] = 0.1, [1e-3] = 0.7, [2e-3] = 0.9, [4e-3] = 1.0, [8e-3] = 0.95 };
        var (search, _) = Run([.. scores.Keys], 0, rate => scores[rate], chance);
        search.Best.ShouldBe(4e-3);
        search.Chosen.ShouldBe(expected);
        search.IsAtEdge.ShouldBeFalse();
    }

    [Fact]
    public void Chosen_lies_above_a_clearly_worse_rate_even_where_a_lower_one_is_as_good()
    {
        var scores = new Dictionary<double, double> { [1e-3] = 0.95, [2e-3] = 0.5, [4e-3] = 1.0, [8e-3] = 0 };
        Run([.. scores.Keys], 0, rate => scores[rate], 0.1).Search.Chosen.ShouldBe(4e-3);
    }

    [Fact]
    public void The_search_goes_down_while_the_least_rate_is_as_good_as_the_best()
    {
        var (search, tried) = Run([1e-3, 2e-3, 4e-3], 3, rate => rate >= 5e-4 ? 1 - Math.Abs(rate - 2e-3) : 0, chance: 0.1);
        tried.ShouldBe([1e-3, 2e-3, 4e-3, 5e-4, 2.5e-4]);
        search.Best.ShouldBe(2e-3);
        search.Chosen.ShouldBe(5e-4);
        search.IsAtEdge.ShouldBeFalse();
        Run([1e-3, 2e-3, 4e-3], 1, _ => 1, chance: 0.1).Search.IsAtEdge.ShouldBeTrue();
    }

    [Fact]
    public void Chosen_is_no_run_that_failed_and_none_where_all_did()
    {
        Run([1e-3, 2e-3, 4e-3], 0, rate => rate < 2e-3 ? double.NaN : rate, chance: 1).Search.Chosen.ShouldBe(2e-3);
        Run([1e-3, 2e-3], 0, _ => double.NaN, chance: 1).Search.Chosen.ShouldBeNull();
    }

    private static (RateSearch Search, List<double> Tried) Run(IReadOnlyList<double> rates, int extend, Func<double, double> score, double? chance = null)
    {
        var search = new RateSearch(rates, extend, chance is { } most ? (rate, best) => score(best) - score(rate) > most : null);
        var tried = new List<double>();
        while (search.Next() is { } rate)
        {
            tried.Add(rate);
            search.Add(rate, score(rate));
            tried.Count.ShouldBeLessThan(50);
        }
        return (search, tried);
    }
}
