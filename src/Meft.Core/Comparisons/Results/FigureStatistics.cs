using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Statistics;

namespace Meft.Core.Comparisons.Results;

/// <summary>Figures of a method over seeds, and their differences to the reference's.</summary>
public static class FigureStatistics
{
    /// <summary>The seed of the resampling: the same numbers give the same intervals.</summary>
    private const long Seed = 0;

    /// <summary>
    /// A figure over seeds: a record's number is the mean over seeds, records are resampled. What another choice of seeds would give is shown by the
    /// values of the single seeds.
    /// </summary>
    /// <param name="seeds">The numbers of each seed, at least one.</param>
    /// <param name="reference">The reference's, of the same records; null for none.</param>
    /// <param name="isPerplexity">Whether the figure is e to the power of the ratio.</param>
    public static FigureValue Of(IReadOnlyList<FigureNumbers> seeds, IReadOnlyList<FigureNumbers>? reference, bool isPerplexity)
    {
        var all = Joined(seeds);
        var interval = ClusteredBootstrap.Interval(all, Seed);
        return new FigureValue(
            Shown(ClusteredBootstrap.Ratio(all), isPerplexity),
            interval is null ? null : new ConfidenceInterval(Shown(interval.Low, isPerplexity), Shown(interval.High, isPerplexity)),
            [.. seeds.Select(numbers => Shown(ClusteredBootstrap.Ratio([.. numbers.Observations()]), isPerplexity))],
            reference is null ? null : Difference(seeds, reference, isPerplexity));
    }

    /// <summary>A figure less the reference's, over the same records, with its paired interval.</summary>
    /// <param name="seeds">The numbers of each seed, at least one.</param>
    /// <param name="reference">The reference's.</param>
    /// <param name="isPerplexity">Whether the figure is e to the power of the ratio.</param>
    /// <exception cref="ArgumentException">The records of the two are not the same.</exception>
    public static FigureDifference Difference(IReadOnlyList<FigureNumbers> seeds, IReadOnlyList<FigureNumbers> reference, bool isPerplexity)
    {
        var (all, other) = (Joined(seeds), Joined(reference));
        return new FigureDifference(
            Shown(ClusteredBootstrap.Ratio(all), isPerplexity) - Shown(ClusteredBootstrap.Ratio(other), isPerplexity),
            ClusteredBootstrap.DifferenceInterval(all, other, ratio => Shown(ratio, isPerplexity), Seed));
    }

    /// <summary>
    /// The mean of several figures of the same records as one: a figure's numbers weigh as much in all as those of each other. One alone stays as it is.
    /// </summary>
    /// <param name="figures">The figures, at least one; none a perplexity where there are several.</param>
    public static FigureNumbers Mean(IReadOnlyList<FigureNumbers> figures)
    {
        if (figures.Count == 1) return figures[0];
        return FigureNumbers.Of([.. figures.SelectMany(figure =>
        {
            var observations = figure.Observations().ToList();
            var all = observations.Sum(o => o.Denominator);
            return observations.Select(o => new Observation(o.Cluster, o.Numerator / all, o.Denominator / all));
        })]);
    }

    /// <summary>Whether a figure is worse than another of the same records beyond chance: the 95 % interval of the difference does not hold 0, or cannot be told.</summary>
    /// <param name="figure">The one.</param>
    /// <param name="other">The other.</param>
    /// <param name="metric">What both are.</param>
    public static bool IsClearlyWorse(FigureNumbers figure, FigureNumbers other, string metric)
    {
        if (Difference([figure], [other], IsPerplexity(metric)).Interval is not { } interval || !double.IsFinite(interval.High - interval.Low)) return true;
        return HigherIsBetter(metric) ? interval.High < 0 : interval.Low > 0;
    }

    /// <summary>Whether a figure of a task is a perplexity, which is e to the power of a mean.</summary>
    public static bool IsPerplexity(string metric) => metric == EvalSummary.Perplexity;

    /// <summary>Whether more of a figure is better.</summary>
    public static bool HigherIsBetter(string metric) => metric is not (EvalSummary.Perplexity or EvalSummary.NllPerToken);

    private static List<Observation> Joined(IReadOnlyList<FigureNumbers> seeds) => [.. seeds.SelectMany(numbers => numbers.Observations())];

    private static double Shown(double ratio, bool isPerplexity) => isPerplexity ? Math.Exp(ratio) : ratio;
}
