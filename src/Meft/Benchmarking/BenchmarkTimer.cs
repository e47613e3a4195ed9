using System.Diagnostics;

namespace Meft.Benchmarking;

/// <summary>How often something is done before it is timed, and while it is.</summary>
/// <param name="WarmUp">Rounds that are not timed.</param>
/// <param name="Repeats">Rounds that are timed, at least 1; the median counts.</param>
public sealed record BenchmarkRounds(int WarmUp, int Repeats);

/// <summary>Times work on a machine that is never quite quiet: warm up, repeat, take medians, the sides in turn.</summary>
internal static class BenchmarkTimer
{
    /// <summary>Warm-up, where there is any, goes on at least so long: the runtime recompiles what is called often.</summary>
    private const double WarmUpSeconds = 0.15;

    /// <summary>Median seconds of one piece of work.</summary>
    public static double Median(BenchmarkRounds rounds, Action work)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < rounds.WarmUp || (rounds.WarmUp > 0 && Stopwatch.GetElapsedTime(start).TotalSeconds < WarmUpSeconds); i++) work();
        return Median([.. Enumerable.Range(0, rounds.Repeats).Select(_ => Seconds(work))]);
    }

    /// <summary>The seconds of one call.</summary>
    public static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The middle value; the mean of the two middle ones where the count is even; NaN of none.</summary>
    public static double Median(IReadOnlyList<double> values)
    {
        if (values.Count == 0) return double.NaN;
        var sorted = values.Order().ToList();
        var half = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
