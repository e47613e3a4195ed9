using Meft.Core.Comparisons.Results;

namespace Meft.Core.Comparisons;

/// <summary>The learning rates of a method, each judged by the mean of the figures that it reached on the held-out questions.</summary>
public sealed class JudgedRates
{
    private readonly Dictionary<double, FigureNumbers> _numbers = [];
    private readonly RateSearch _search;
    private readonly string _metric;

    /// <param name="rates">The rates that the config names, ascending; at least one.</param>
    /// <param name="extend">How many more are tried beyond either end.</param>
    /// <param name="metric">What the figures are: the first one's metric says whether more is better.</param>
    public JudgedRates(IReadOnlyList<double> rates, int extend, string metric)
    {
        _metric = metric;
        _search = new RateSearch(rates, extend, (rate, best) => FigureStatistics.IsClearlyWorse(_numbers[rate], _numbers[best], metric));
    }

    /// <summary>The next rate to try; null where none is left.</summary>
    public double? Next() => _search.Next();

    /// <summary>Takes down what a rate reached.</summary>
    /// <param name="rate">The rate.</param>
    /// <param name="figures">The numbers of each figure, of all seeds one after another; null where a run failed.</param>
    /// <returns>The score: the mean of all of them; null where a run failed.</returns>
    public double? Add(double rate, IReadOnlyList<FigureNumbers>? figures)
    {
        double? score = null;
        if (figures is not null)
        {
            var numbers = _numbers[rate] = FigureStatistics.Mean(figures);
            score = FigureStatistics.Of([numbers], null, FigureStatistics.IsPerplexity(_metric)).Value;
        }
        _search.Add(rate, score is { } value ? (FigureStatistics.HigherIsBetter(_metric) ? value : -value) : double.NaN);
        return score;
    }

    /// <summary>The rate to train with (<see cref="RateSearch.Chosen"/>); null where every run failed.</summary>
    public double? Chosen => _search.Chosen;

    /// <summary>Whether a better rate may lie beyond those that were tried.</summary>
    public bool IsAtEdge => _search.IsAtEdge;
}
