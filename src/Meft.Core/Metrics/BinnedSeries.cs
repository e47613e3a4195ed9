namespace Meft.Core.Metrics;

/// <summary>Some neighbouring steps of a series, as one.</summary>
/// <param name="FirstStep">The first step with a number.</param>
/// <param name="LastStep">The last one.</param>
/// <param name="Mean">Mean of the numbers.</param>
/// <param name="Least">The least of them.</param>
/// <param name="Most">The largest.</param>
public readonly record struct SeriesBin(int FirstStep, int LastStep, double Mean, double Least, double Most)
{
    /// <summary>The middle of its steps.</summary>
    public double Step => (FirstStep + (double)LastStep) / 2;
}

/// <summary>
/// A number by step, kept in bounded memory however long the run is: steps share a bin once there are too many of them. Bins lie at fixed steps, so a
/// series does not depend on where a run was cut in two.
/// </summary>
/// <param name="capacity">The most bins; 2 or more.</param>
public sealed class BinnedSeries(int capacity = BinnedSeries.DefaultCapacity)
{
    /// <summary>As many bins as a chart has room for.</summary>
    public const int DefaultCapacity = 400;

    private readonly SortedDictionary<int, Sum> _bins = [];
    private int _width = 1;

    /// <summary>Steps that share a bin.</summary>
    public int StepsOfBin => _width;

    /// <summary>The bins that hold a number, ascending.</summary>
    public IReadOnlyList<SeriesBin> Bins =>
        [.. _bins.Values.Select(b => new SeriesBin(b.First, b.Last, b.Total / b.Count, b.Least, b.Most))];

    /// <summary>Adds a step's number; one that is not finite is none.</summary>
    /// <param name="step">0 or more.</param>
    /// <param name="value">The number.</param>
    public void Add(int step, double value)
    {
        if (!double.IsFinite(value)) return;
        Merge(_bins, step / _width, new Sum(step, step, 1, value, value, value));
        while (_bins.Count > capacity) Halve();
    }

    private void Halve()
    {
        var old = _bins.ToArray();
        _bins.Clear();
        _width *= 2;
        foreach (var (index, bin) in old) Merge(_bins, index / 2, bin);
    }

    private static void Merge(SortedDictionary<int, Sum> bins, int index, Sum bin) => bins[index] = bins.TryGetValue(index, out var other)
        ? new Sum(
            Math.Min(other.First, bin.First), Math.Max(other.Last, bin.Last), other.Count + bin.Count, other.Total + bin.Total,
            Math.Min(other.Least, bin.Least), Math.Max(other.Most, bin.Most))
        : bin;

    private readonly record struct Sum(int First, int Last, int Count, double Total, double Least, double Most);
}
