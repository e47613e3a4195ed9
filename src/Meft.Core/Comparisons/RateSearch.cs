using System.Globalization;

namespace Meft.Core.Comparisons;

/// <summary>
/// Looks for the learning rate with the best score: first all that the config names, then, while the best of all is the least or the largest, the
/// next one beyond it in proportion. So no method looks bad by a grid that was laid for another.
/// </summary>
/// <param name="rates">The rates that the config names, ascending; at least one.</param>
/// <param name="extend">How many more are tried beyond either end.</param>
public sealed class RateSearch(IReadOnlyList<double> rates, int extend)
{
    /// <summary>The step beyond a grid of a single rate.</summary>
    private const double DefaultRatio = 2;

    private readonly SortedDictionary<double, double> _scores = [];

    /// <summary>The next rate to try; null where none is left.</summary>
    public double? Next()
    {
        if (rates.Where(rate => !_scores.ContainsKey(rate)).Select(rate => (double?)rate).FirstOrDefault() is { } named) return named;
        if (Best is not { } best) return null;
        double[] tried = [.. _scores.Keys];
        if (best == tried[0] && tried.Count(rate => rate < rates[0]) < extend) return Rounded(tried[0] / Ratio(tried, 0));
        if (best == tried[^1] && tried.Count(rate => rate > rates[^1]) < extend) return Rounded(tried[^1] * Ratio(tried, tried.Length - 2));
        return null;
    }

    /// <summary>Takes down what a rate reached.</summary>
    /// <param name="rate">The rate.</param>
    /// <param name="score">Higher is better; NaN for a run that failed.</param>
    public void Add(double rate, double score) => _scores[rate] = score;

    /// <summary>The rate with the best score, of several the least, which changes the model less; null where every run failed or none is done.</summary>
    public double? Best
    {
        get
        {
            double? best = null;
            foreach (var (rate, score) in _scores)
            {
                if (!double.IsNaN(score) && (best is null || score > _scores[best.Value])) best = rate;
            }
            return best;
        }
    }

    /// <summary>Whether the best rate is the least or the largest of those that were tried: a better one may lie beyond.</summary>
    public bool IsAtEdge => Best is { } best && _scores.Count > 1 && (best == _scores.Keys.First() || best == _scores.Keys.Last());

    /// <summary>
    /// The least of the tried rates, up to the best one, that is as good as the best as far as can be told: what a larger rate gains by chance is no
    /// reason for it, and it is the larger ones that go wrong in a longer run (the rule of one standard error: Breiman et al. 1984, §3.4.3). Null as <see cref="Best"/>.
    /// </summary>
    /// <param name="isClearlyWorse">Whether a rate (first) is worse than the best one (second) beyond chance.</param>
    public double? Chosen(Func<double, double, bool> isClearlyWorse)
    {
        if (Best is not { } best) return null;
        foreach (var (rate, score) in _scores)
        {
            if (rate == best || (!double.IsNaN(score) && !isClearlyWorse(rate, best))) return rate;
        }
        return best;
    }

    private static double Ratio(double[] tried, int at) => tried.Length > 1 ? tried[at + 1] / tried[at] : DefaultRatio;

    /// <summary>Three digits are enough to name a rate.</summary>
    private static double Rounded(double rate)
    {
        var unit = Math.Pow(10, Math.Floor(Math.Log10(rate)) - 2);
        return double.Parse((Math.Round(rate / unit) * unit).ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
