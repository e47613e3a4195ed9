using Meft.Core.Comparisons.Results;
using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;

namespace Meft.Core.Comparisons.Reading;

/// <summary>A grid as its group says it.</summary>
/// <param name="Config">The grid; null where it has errors.</param>
/// <param name="Rates">The rates of methods that have none of their own, ascending; null where there are none.</param>
internal sealed record GridSettings(GridConfig? Config, IReadOnlyList<double>? Rates);

/// <summary>Reads how learning rates are chosen.</summary>
/// <param name="sources">Reads its tasks.</param>
/// <param name="errors">Takes errors.</param>
internal sealed class GridReader(TaskSourceReader sources, ConfigErrors errors)
{
    /// <summary>The key of rates, here and of a method.</summary>
    public const string RatesKey = "learning_rates";

    private const int DefaultExtend = 3, MostExtend = 20;

    /// <summary>The keys of the group.</summary>
    public static IReadOnlyList<string> Keys { get; } = [RatesKey, "extend", "seeds", "train", "task"];

    /// <summary>What rates are read by.</summary>
    public static DistinctListType<double> Rates { get; } = new(
        new NumberType(0, above: true), 2, "a list of at least two distinct numbers above 0; a single rate is optimizer.learning_rate of a method");

    /// <summary>Reads it.</summary>
    /// <param name="node">The group.</param>
    /// <param name="rowsAreOfTask">Whether the runs' rows are made of a task, so that there is no <c>data.train</c>.</param>
    /// <param name="reported">The tasks that figures are reported of; null for those that have errors.</param>
    /// <param name="folder">What relative paths are relative to.</param>
    public GridSettings Read(ConfigNode node, bool rowsAreOfTask, IReadOnlyList<TaskSource?> reported, string folder)
    {
        var group = new ConfigGroup(node, "grid.", Keys, errors) { Folder = folder };
        var rates = group.ReadOrNull(RatesKey, Rates);
        var extend = group.Read("extend", new IntegerType<int>(0, MostExtend), DefaultExtend);
        var seeds = group.ReadOrNull("seeds", ComparisonReader.Seeds);
        var train = group.Find("train") is { } rows ? sources.Training(rows.Value, "grid.train.") : null;
        if (group.Find("train") is null && rowsAreOfTask)
            group.Refuse("train", "is missing: the runs have no data.train that it could take", "rows made of a task, as in train");
        var task = group.Find("task") is { } judge ? sources.Judging(judge.Value, "grid.task.") : null;
        if (group.Find("task") is null) group.Refuse("task", "is missing", "a task with its data, which no figure is reported of");
        if (task is { Metrics.Count: > 1 } && task.Metrics.FirstOrDefault(metric => !FigureStatistics.HigherIsBetter(metric.Metric)) is { } less)
            group.Refuse("task", $"rates are judged by the mean of the figures shown, and of {less.Label} less is better", "show: with one figure, or with several of which more is better");
        for (var i = 0; i < reported.Count; i++)
        {
            if (task is null || reported[i] is not { } other || !Overlaps(task, other)) continue;
            group.Refuse("task", $"rates would be chosen by records that tasks[{i}] reports figures of", "other data, or a skip beyond those records");
        }
        return new GridSettings(task is null ? null : new GridConfig(extend, seeds, train, task), rates is null ? null : [.. rates.Order()]);
    }

    /// <summary>Whether two are sure to have records in common: of the same file, counted the same way. Where texts are cut into windows the end is open.</summary>
    private static bool Overlaps(TaskSource one, TaskSource other) =>
        one.Data == other.Data && one.Records.Distinct == other.Records.Distinct && one.Records.Skip < EndOf(other) && other.Records.Skip < EndOf(one);

    private static long EndOf(TaskSource source) =>
        source.Task.IsOfTexts || source.Records.First is not { } first ? long.MaxValue : (long)source.Records.Skip + first;
}
