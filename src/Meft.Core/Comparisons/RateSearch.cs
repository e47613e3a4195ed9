using System.Globalization;

namespace Meft.Core.Comparisons;

/// <summary>
/// Looks for a learning rate: first all that the config names are tried, then, while what was found lies at an end, or every one has failed, the next one beyond it
/// (where all failed, below) in proportion. So no method looks bad by a grid that was laid for another.
/// </summary>
/// <param name="rates">The rates that the config names, ascending; at least one.</param>
/// <param name="extend">How many more are tried beyond either end.</param>
/// <param name="isClearlyWorse">Whether a rate (first) is worse than the best one (second) beyond chance; null: whatever has a lower score is.</param>
public sealed class RateSearch(IReadOnlyList<double> rates, int extend, Func<double, double, bool>? isClearlyWorse = null)
{
    /// <summary>The step beyond a grid of a single rate.</summary>
    private const double DefaultRatio = 2;

    private readonly SortedDictionary<double, double> _scores = [];

    /// <summary>The next rate to try; null where none is left.</summary>
    public double? Next()
    {
        if (rates.Where(rate => !_scores.ContainsKey(rate)).Select(rate => (double?)rate).FirstOrDefault() is { } named) return named;
        double[] tried = [.. _scores.Keys];
        // Where every rate is too high, a lower one need not be.
        if ((IsLeast || Best is null) && tried.Count(rate => rate < rates[0]) < extend) return Rounded(tried[0] / Ratio(tried, 0));
        if (IsLargest && tried.Count(rate => rate > rates[^1]) < extend) return Rounded(tried[^1] * Ratio(tried, tried.Length - 2));
        return null;
    }

    /// <summary>Takes down what a rate reached.</summary>
    /// <param name="rate">The rate.</param>
    /// <param name="score">Higher is better; NaN for a run that failed.</param>
    public void Add(double rate, double score) => _scores[rate] = score;

    /// <summary>The rate with the best score, of several the least; null where every run failed or none is done.</summary>
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

    /// <summary>
    /// Going down from the best rate, the last one before any that is clearly worse: what a larger rate gains by chance is no reason for it, it changes the
    /// model more, and it is the larger ones that break down. Null as <see cref="Best"/>.
    /// </summary>
    public double? Chosen
    {
        get
        {
            if (Best is not { } best) return null;
            var chosen = best;
            foreach (var (rate, score) in _scores.Where(tried => tried.Key < best).Reverse())
            {
                if (double.IsNaN(score) || (isClearlyWorse?.Invoke(rate, best) ?? score < _scores[best])) break;
                chosen = rate;
            }
            return chosen;
        }
    }

    /// <summary>Whether a better rate may lie beyond those that were tried: the chosen one is the least of them, or the best one the largest.</summary>
    public bool IsAtEdge => _scores.Count > 1 && (IsLeast || IsLargest);

    private bool IsLeast => Chosen is { } chosen && chosen == _scores.Keys.First();

    private bool IsLargest => Best is { } best && best == _scores.Keys.Last();

    private static double Ratio(double[] tried, int at) => tried.Length > 1 ? tried[at + 1] / tried[at] : DefaultRatio;

    /// <summary>Three digits are enough to name a rate.</summary>
    private static double Rounded(double rate)
    {
        var unit = Math.Pow(10, Math.Floor(Math.Log10(rate)) - 2);
        return double.Parse((Math.Round(rate / unit) * unit).ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
