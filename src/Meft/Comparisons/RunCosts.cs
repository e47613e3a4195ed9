using Meft.Benchmarking;
using Meft.Core.Comparisons.Results;
using Meft.Core.Metrics;
using Meft.Reporting;

namespace Meft.Comparisons;

/// <summary>What a run cost, and how its adapter was used, from the files of its folder.</summary>
internal static class RunCosts
{
    /// <summary>The share of the steps, the last ones, that the loss is the mean of.</summary>
    private const double Tail = 0.1;

    /// <summary>The costs; from <c>metrics.jsonl</c>.</summary>
    public static MethodCost Read(string runFolder)
    {
        var steps = LoggedStep.Read(Path.Combine(runFolder, RunFiles.Metrics)).ToList();
        var active = steps.Where(s => double.IsFinite(s.ActiveRows)).Select(s => s.ActiveRows).ToList();
        return new MethodCost(
            (long)steps.Max(s => s.DeviceBytesPeak), (long)steps.Max(s => s.HostBytes), steps.Average(s => s.LinkBytes.Values.Sum()),
            BenchmarkTimer.Median([.. steps.Select(s => s.Seconds)]), steps.Count, (long)steps.Sum(s => s.Tokens), (long)steps.Sum(s => s.TrainedTokens),
            steps.Sum(s => s.Seconds), steps.TakeLast(Math.Max(1, (int)(Tail * steps.Count))).Average(s => s.Loss), active.Count == 0 ? null : active.Average());
    }

    /// <summary>The share of each layer's experts that no token probed, and of its neurons that were never active; from <c>experts.jsonl</c>.</summary>
    public static (IReadOnlyList<LayerShare> Experts, IReadOnlyList<LayerShare> Rows) ReadDead(string runFolder)
    {
        var history = new RunHistory();
        var path = Path.Combine(runFolder, ExpertLoadFile.Name);
        if (!File.Exists(path)) return ([], []);
        foreach (var load in ExpertLoadFile.Read(path)) history.Add(load);
        return (
            [.. history.Layers.Where(l => l.ExpertTokens.Count > 0).Select(l => new LayerShare(l.Layer, (double)l.ExpertTokens.Count(tokens => tokens == 0) / l.ExpertTokens.Count))],
            [.. history.Layers.Where(l => l.Latest is not null).Select(l => new LayerShare(l.Layer, (double)l.Latest!.DeadRows / l.Latest.Rank))]);
    }
}
