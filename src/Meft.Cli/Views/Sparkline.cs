using Meft.Core.Metrics;

namespace Meft.Cli.Views;

/// <summary>A curve in a line of text, by blocks of eight heights.</summary>
internal static class Sparkline
{
    private const string Blocks = "▁▂▃▄▅▆▇█";

    /// <summary>A curve of so many characters at most; empty where there are not two points, or all are alike.</summary>
    public static string Of(IReadOnlyList<SeriesBin> bins, int width)
    {
        if (bins.Count < 2 || width < 2) return "";
        var count = Math.Min(width, bins.Count);
        var values = Enumerable.Range(0, count).Select(i => Mean(bins, i * bins.Count / count, (i + 1) * bins.Count / count)).ToList();
        var (least, most) = (values.Min(), values.Max());
        if (most <= least) return "";
        return string.Concat(values.Select(v => Blocks[(int)Math.Min(Blocks.Length - 1, (v - least) / (most - least) * Blocks.Length)]));
    }

    private static double Mean(IReadOnlyList<SeriesBin> bins, int from, int end)
    {
        double sum = 0;
        for (var i = from; i < end; i++) sum += bins[i].Mean;
        return sum / (end - from);
    }
}
