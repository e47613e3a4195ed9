using Meft.Core.Comparisons.Results;
using Meft.Core.Evaluation.Results;
using static Meft.Core.Comparisons.Tables.ComparisonText;

namespace Meft.Core.Comparisons.Tables;

/// <summary>A column of a comparison's table.</summary>
/// <param name="Head">Its heading.</param>
/// <param name="Cells">A cell for each row.</param>
public sealed record SheetColumn(string Head, IReadOnlyList<string> Cells);

/// <summary>
/// A comparison as a table of texts, whatever shows it: the base before training in the first row, then a row for each method; what it costs, then what it reaches.
/// </summary>
public sealed record ComparisonSheet
{
    /// <summary>The first row's name.</summary>
    public const string Base = "base alone";

    /// <summary>What stands above <see cref="Spread"/>.</summary>
    public const string SpreadTitle = "least and largest of the seeds";

    /// <summary>Marks bytes that are planned, not measured.</summary>
    private const char Planned = '~';

    /// <summary>Marks a rate at the end of what was tried.</summary>
    private const char AtEdge = '*';

    /// <summary>The rows' names.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Parameters, memory, traffic, time, tokens, learning rate; what is known of no method has no column.</summary>
    public required IReadOnlyList<SheetColumn> Costs { get; init; }

    /// <summary>The score, its difference to the reference, the other figures, old knowledge last; empty before anything was judged.</summary>
    public required IReadOnlyList<SheetColumn> Scores { get; init; }

    /// <summary>The least and the largest of the seeds, a column for each of <see cref="Scores"/> that is a figure; empty where no method has two seeds.</summary>
    public required IReadOnlyList<SheetColumn> Spread { get; init; }

    /// <summary>What the marks mean, which method is short of what: sentences.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The table of a result.</summary>
    public static ComparisonSheet Of(ComparisonResult result)
    {
        var costs = CostColumns(result).Where(column => column.Cells.Any(cell => cell is not ("" or None))).ToList();
        return new ComparisonSheet
        {
            Names = [Base, .. result.Methods.Select(m => m.Name)],
            Costs = costs,
            Scores = result.IsJudged ? ScoreColumns(result) : [],
            Spread = SpreadColumns(result),
            Notes = [.. SheetNotes.Of(result, Any(Planned), Any(AtEdge))],
        };

        bool Any(char mark) => costs.Any(c => c.Cells.Any(cell => cell.Contains(mark)));
    }

    private static List<SheetColumn> CostColumns(ComparisonResult result)
    {
        var machines = result.CostMachines;
        return
        [
            Column("parameters", m => Count(m.Parameters)),
            Column("device bytes", m => m.Cost is { } cost ? Bytes(cost.DeviceBytesPeak) : NeededDevice(m)),
            Column("host bytes", m => m.Cost is { } cost ? Bytes(cost.HostBytes) : Planned + Bytes(m.PlannedHostBytes)),
            Column("link/step", m => m.Cost is { } cost ? Bytes(cost.LinkBytesPerStep) : None),
            Column("s/step", m => m.Cost is { } cost ? Seconds(cost.StepSeconds) : None),
            .. machines.Count > 1 ? [Column("machine", m => m.Cost is null ? None : Machine(machines, m))] : Array.Empty<SheetColumn>(),
            Column("tokens", m => m.Cost is { } cost ? Count(cost.Tokens) : None),
            Column("rate", m => m.LearningRate is { } rate ? Rate(rate) + (m.IsRateAtEdge ? AtEdge : "") : None),
        ];

        SheetColumn Column(string head, Func<MethodResult, string> cell) => new(head, ["", .. result.Methods.Select(cell)]);

        string NeededDevice(MethodResult method) => Planned + Bytes(method.PlannedDeviceBytes)
            + (method.DoesNotFit is not null && result.DeviceBudget is { } budget && method.PlannedDeviceBytes > budget ? $" > {Bytes(budget)}" : "");
    }

    /// <summary>A machine's mark: A for the first of several.</summary>
    private static string Machine(IReadOnlyList<string> machines, MethodResult method) =>
        SheetNotes.MarkOf(machines.Index().First(machine => machine.Item == (method.CostMachine ?? ComparisonResult.NotTakenDown)).Index);

    private static List<SheetColumn> ScoreColumns(ComparisonResult result)
    {
        var columns = new List<SheetColumn>();
        foreach (var index in InOrder(result))
        {
            var figure = result.Figures[index];
            columns.Add(new SheetColumn(Head(figure), [Cell(result.Before?[index], figure.Unit), .. result.Methods.Select(
                m => m.Figures is null ? index == 0 ? Missing(m.State) : None : Cell(m.Figures[index], figure.Unit))]));
            if (index == 0 && result.Reference is { } reference)
            {
                columns.Add(new SheetColumn($"to {reference}", ["", .. result.Methods.Select(m => m.Name == reference ? "reference"
                    : m.Figures?[0].ToReference is { } difference ? Difference(difference.Value, difference.Interval, figure.Unit) : None)]));
            }
        }
        return columns;
    }

    private static IReadOnlyList<SheetColumn> SpreadColumns(ComparisonResult result)
    {
        if (!result.Methods.Any(m => m.Figures is [{ PerSeed.Count: > 1 }, ..])) return [];
        return [.. InOrder(result).Select(index => new SheetColumn(
            Head(result.Figures[index]), ["", .. result.Methods.Select(m => Ends(m.Figures?[index], result.Figures[index].Unit))]))];
    }

    private static string Ends(FigureValue? value, MetricUnit unit) => value is { PerSeed.Count: > 1 }
        ? $"{Figure(value.PerSeed.Min(), unit)} – {Figure(value.PerSeed.Max(), unit)}"
        : None;

    /// <summary>The figures' places: the score first, what the model knew before last.</summary>
    private static IEnumerable<int> InOrder(ComparisonResult result) =>
        Enumerable.Range(0, result.Figures.Count).OrderBy(i => i > 0 && result.Figures[i].IsOldKnowledge);

    private static string Cell(FigureValue? value, MetricUnit unit) => value is null ? None : Figure(value.Value, value.Interval, unit);

    private static string Missing(MethodState state) => state switch
    {
        MethodState.DoesNotFit => "does not fit",
        MethodState.Failed => "failed",
        _ => None,
    };

    /// <summary>A figure's heading: unit, whether less is better, whether it is old knowledge.</summary>
    private static string Head(ShownFigure figure) =>
        figure.Label + (figure.Unit == MetricUnit.Share ? ", %" : "") + (figure.HigherIsBetter ? "" : " ↓") + (figure.IsOldKnowledge ? " (old)" : "");
}
