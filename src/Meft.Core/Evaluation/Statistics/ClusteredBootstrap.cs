namespace Meft.Core.Evaluation.Statistics;

/// <summary>One observation of a ratio: what it adds above and below the line.</summary>
/// <param name="Cluster">Observations of one cluster belong together and are drawn together.</param>
/// <param name="Numerator">Above: for a weighted mean, the value by its weight.</param>
/// <param name="Denominator">Below: the weight.</param>
public readonly record struct Observation(int Cluster, double Numerator, double Denominator);

/// <summary>Where a figure would lie for other samples of the same kind.</summary>
/// <param name="Low">The lower end.</param>
/// <param name="High">The upper end.</param>
public sealed record ConfidenceInterval(double Low, double High);

/// <summary>
/// The 95 % interval of a ratio of sums by the percentile bootstrap (Efron 1979) over whole clusters (Davison and Hinkley 1997, §3.8): as many
/// clusters as there are, drawn with replacement, give one ratio; the interval holds all but the outer 2.5 % of these on either side.
/// </summary>
public static class ClusteredBootstrap
{
    /// <summary>How often clusters are drawn anew.</summary>
    public const int Resamples = 1000;

    /// <summary>Below so many clusters the percentile bootstrap's interval is much too narrow.</summary>
    public const int FewClusters = 10;

    /// <summary>The share of resamples below the interval, and above it.</summary>
    private const double Tail = 0.025;

    /// <summary>Σ numerators / Σ denominators; NaN without observations.</summary>
    public static double Ratio(IReadOnlyList<Observation> observations) =>
        observations.Sum(o => o.Numerator) / observations.Sum(o => o.Denominator);

    /// <summary>The interval of <see cref="Ratio"/>; null with fewer than two clusters, which tell nothing about others.</summary>
    /// <param name="observations">In a fixed order; their clusters need not be numbered without gaps.</param>
    /// <param name="seed">The same seed gives the same interval.</param>
    public static ConfidenceInterval? Interval(IReadOnlyList<Observation> observations, long seed)
    {
        var clusters = SumsByCluster(observations);
        if (clusters.Count < 2) return null;
        return Resampled([.. clusters.Values.Select(c => (c, default(Sums)))], (drawn, _) => drawn.Ratio, seed);
    }

    /// <summary>The interval of the difference of two ratios over the same clusters, which are drawn together (a paired bootstrap); null with fewer than two.</summary>
    /// <param name="observations">Those of the first ratio.</param>
    /// <param name="others">Those of the one that is taken from it.</param>
    /// <param name="shown">What is made of each ratio before they are compared.</param>
    /// <param name="seed">The same seed gives the same interval.</param>
    /// <exception cref="ArgumentException">The clusters of the two are not the same.</exception>
    public static ConfidenceInterval? DifferenceInterval(
        IReadOnlyList<Observation> observations, IReadOnlyList<Observation> others, Func<double, double> shown, long seed)
    {
        var (first, second) = (SumsByCluster(observations), SumsByCluster(others));
        if (first.Count != second.Count || !first.Keys.All(second.ContainsKey)) throw new ArgumentException("the two are over different clusters", nameof(others));
        if (first.Count < 2) return null;
        return Resampled([.. first.Select(c => (c.Value, second[c.Key]))], (a, b) => shown(a.Ratio) - shown(b.Ratio), seed);
    }

    private static Dictionary<int, Sums> SumsByCluster(IReadOnlyList<Observation> observations) => observations.GroupBy(o => o.Cluster)
        .ToDictionary(cluster => cluster.Key, cluster => new Sums(cluster.Sum(o => o.Numerator), cluster.Sum(o => o.Denominator)));

    private static ConfidenceInterval Resampled((Sums First, Sums Second)[] clusters, Func<Sums, Sums, double> figure, long seed)
    {
        var draws = new RandomIndices(unchecked((ulong)seed));
        var figures = new double[Resamples];
        for (var resample = 0; resample < Resamples; resample++)
        {
            Sums first = default, second = default;
            for (var i = 0; i < clusters.Length; i++)
            {
                var drawn = clusters[draws.Below(clusters.Length)];
                first = first.Plus(drawn.First);
                second = second.Plus(drawn.Second);
            }
            figures[resample] = figure(first, second);
        }
        Array.Sort(figures);
        return new ConfidenceInterval(Quantile(figures, Tail), Quantile(figures, 1 - Tail));
    }

    private readonly record struct Sums(double Above, double Below)
    {
        public double Ratio => Above / Below;

        public Sums Plus(Sums other) => new(Above + other.Above, Below + other.Below);
    }

    /// <summary>The value at a share of sorted values, between neighbours in proportion.</summary>
    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
