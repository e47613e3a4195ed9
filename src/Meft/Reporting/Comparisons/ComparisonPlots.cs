using Meft.Core.Comparisons.Results;
using Meft.Core.Comparisons.Tables;
using Meft.Core.Configuration;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Statistics;

namespace Meft.Reporting.Comparisons;

/// <summary>The plots of a comparison; each is null where there is nothing to show yet.</summary>
internal static class ComparisonPlots
{
    private const double Decade = 10;

    /// <summary>A figure against device bytes, with the budget; what does not fit stands hollow on the axis at what it would need.</summary>
    /// <param name="result">The comparison.</param>
    /// <param name="index">Which of its figures; 0 is the score.</param>
    public static Plot? ByDeviceBytes(ComparisonResult result, int index)
    {
        var most = result.Methods.Select(m => (double)DeviceBytes(m)).Append(result.DeviceBudget ?? 0);
        return Of(result, index, "device bytes", m => DeviceBytes(m), () =>
            new PlotAxis("device memory, peak of a step", Axis.OverBytes(result.Methods.Select(m => (double)DeviceBytes(m)).Where(b => b > 0).DefaultIfEmpty(1).Min(), most.Max(), 6), ReportText.Bytes),
            result.DeviceBudget is { } budget ? (budget, $"budget {ReportText.Bytes(budget)}") : null);
    }

    /// <summary>A figure against trained parameters.</summary>
    /// <param name="result">The comparison.</param>
    /// <param name="index">Which of its figures; 0 is the score.</param>
    public static Plot? ByParameters(ComparisonResult result, int index)
    {
        var counts = result.Methods.Select(m => (double)m.Parameters).Where(p => p > 0).DefaultIfEmpty(1).ToList();
        return Of(result, index, "trained parameters", m => m.Parameters, () =>
            new PlotAxis("trained parameters", Axis.OverFactors(counts.Min(), counts.Max(), 7), Short), null);
    }

    /// <summary>Seconds a step against R, by kind, with a line that grows as √R does; of several machines the one that most methods were measured on.</summary>
    public static Plot? SecondsByRank(ComparisonResult result)
    {
        var methods = result.Methods.Where(m => m.Rank > 0 && m.Cost is { } cost && double.IsFinite(cost.StepSeconds) && cost.StepSeconds > 0)
            .GroupBy(m => m.CostMachine).MaxBy(machine => machine.Count())?.ToList() ?? [];
        if (methods.Select(m => m.Rank).Distinct().Count() < 2) return null;
        var seconds = methods.Select(m => m.Cost!.StepSeconds).ToList();
        var lines = methods.GroupBy(m => m.Kind).Select(kind => kind.OrderBy(m => m.Rank).ToList())
            .Where(kind => kind.Count > 1 && kind.DistinctBy(m => m.Rank).Count() == kind.Count)
            .Select(kind => new PlotLine([.. kind.Select(m => ((double)m.Rank!, m.Cost!.StepSeconds))], Mark.Style(kind[0].Kind), "")).ToList();
        // The guide starts at the smallest sparse adapter and ends at the plot's upper end or the largest R.
        if (methods.Where(m => m.Kind == MethodKind.Meft).OrderBy(m => m.Rank).ThenBy(m => m.Cost!.StepSeconds).ToList() is [var first, .., var last] && last.Rank > first.Rank)
        {
            var factor = Math.Min(Math.Sqrt((double)last.Rank!.Value / first.Rank!.Value), Math.Max(1.5, seconds.Max() * 1.1 / first.Cost!.StepSeconds));
            lines.Add(new PlotLine([(first.Rank.Value, first.Cost.StepSeconds), (first.Rank.Value * factor * factor, first.Cost.StepSeconds * factor)], "guide", "∝ √R"));
        }
        return new Plot
        {
            Title = "seconds a step against R",
            Across = new PlotAxis("R (LoRA: r)", Axis.OverFactors(methods.Min(m => m.Rank!.Value), methods.Max(m => m.Rank!.Value), 9, ofTwo: true), r => r.ToString("N0")),
            Up = new PlotAxis("seconds a step", Axis.OverFactors(seconds.Min(), Math.Max(seconds.Max(), lines.SelectMany(l => l.Points).Select(p => p.Y).DefaultIfEmpty(0).Max()), 7), ReportText.Seconds),
            Points = [.. methods.Select(m => new PlotPoint(m.Rank!.Value, m.Cost!.StepSeconds, m.Kind, m.Name, $"{m.Name}: {ReportText.Seconds(m.Cost.StepSeconds)} s a step"))],
            Lines = lines,
        };
    }

    /// <summary>The held-out score of each rate that was tried, a line for each method.</summary>
    public static Plot? RateCurves(ComparisonResult result)
    {
        var methods = result.Methods.Select(m => (Method: m, Points: m.Grid.Where(g => g.LearningRate > 0 && g.Score is { } s && double.IsFinite(s)).ToList()))
            .Where(m => m.Points.Count > 0).ToList();
        if (methods.Count == 0) return null;
        var all = methods.SelectMany(m => m.Points).ToList();
        var unit = all.All(p => p.Score is >= 0 and <= 1) ? result.Figures[0].Unit : MetricUnit.Number;
        return new Plot
        {
            Title = "held-out score against learning rate",
            Across = new PlotAxis("learning rate", Axis.OverFactors(all.Min(p => p.LearningRate), all.Max(p => p.LearningRate), 7).WithTicks(all.Select(p => p.LearningRate).Distinct().Order()), ComparisonText.Rate),
            Up = new PlotAxis("score on the held-out split", Axis.Over(all.Min(p => p.Score!.Value), all.Max(p => p.Score!.Value), 6), Format(unit)),
            Points = [.. methods.SelectMany(m => m.Points.Select(p => new PlotPoint(p.LearningRate, p.Score!.Value, m.Method.Kind, p.LearningRate == m.Method.LearningRate ? m.Method.Name : "",
                $"{m.Method.Name} at {ComparisonText.Rate(p.LearningRate)}: {Format(unit)(p.Score!.Value)}{(p.LearningRate == m.Method.LearningRate ? ", chosen" : "")}")))],
            Lines = [.. methods.Select(m => new PlotLine([.. m.Points.Select(p => (p.LearningRate, p.Score!.Value))], Mark.Style(m.Method.Kind), m.Points.Any(p => p.LearningRate == m.Method.LearningRate) ? "" : m.Method.Name))],
        };
    }

    /// <summary>A figure of old knowledge against the score: what learning cost.</summary>
    /// <param name="result">The comparison.</param>
    /// <param name="index">Which of its figures.</param>
    public static Plot? OldKnowledge(ComparisonResult result, int index)
    {
        var (score, old) = (result.Figures[0], result.Figures[index]);
        var points = result.Methods.Where(m => m.Figures is not null).Select(m => Point(m.Kind, m.Name, m.Figures!)).ToList();
        if (points.Count == 0) return null;
        if (result.Before is { } before) points.Add(Point(null, ComparisonSheet.Base, before));
        points = [.. points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y))];
        if (points.Count == 0) return null;
        return new Plot
        {
            Title = $"{old.Label} against {score.Label}",
            Across = Over(score, points.SelectMany(p => Ends(p.X, p.Across))),
            Up = Over(old, points.SelectMany(p => Ends(p.Y, p.Up))),
            Points = points,
        };

        PlotPoint Point(MethodKind? kind, string name, IReadOnlyList<FigureValue> figures) => new(figures[0].Value, figures[index].Value, kind, name,
            $"{name}: {Told(score, figures[0])}, {Told(old, figures[index])}")
        { Across = figures[0].Interval, Up = figures[index].Interval };
    }

    private static Plot? Of(
        ComparisonResult result, int index, string against, Func<MethodResult, double> x, Func<PlotAxis> across, (double, string)? limit)
    {
        var figure = result.Figures[index];
        var measured = result.Methods.Where(m => m.Figures is not null && double.IsFinite(m.Figures[index].Value) && x(m) > 0).ToList();
        if (measured.Count == 0) return null;
        var before = result.Before is { } b && double.IsFinite(b[index].Value) ? b[index] : null;
        var values = measured.SelectMany(m => Ends(m.Figures![index].Value, m.Figures[index].Interval)).Concat(before is null ? [] : [before.Value]);
        return new Plot
        {
            Title = $"{figure.Label} against {against}",
            Across = across(),
            Up = Over(figure, values),
            Points =
            [
                .. measured.Select(m => new PlotPoint(x(m), m.Figures![index].Value, m.Kind, m.Name, $"{m.Name}: {Told(figure, m.Figures[index])}") { Up = m.Figures[index].Interval }),
                .. result.Methods.Where(m => m.DoesNotFit is not null && x(m) > 0).Select(m => new PlotPoint(
                    x(m), double.NaN, m.Kind, $"{m.Name}: does not fit", $"{m.Name} does not fit: {ReportText.Bytes(m.PlannedDeviceBytes)} of device memory planned")),
            ],
            Limit = limit,
            Level = before is null ? null : (before.Value, ComparisonSheet.Base),
        };
    }

    private static long DeviceBytes(MethodResult method) => method.Cost?.DeviceBytesPeak ?? method.PlannedDeviceBytes;

    private static PlotAxis Over(ShownFigure figure, IEnumerable<double> values)
    {
        var list = values.ToList();
        // A perplexity is e to a power: where it spans decades they are of one length.
        var isWide = figure.Unit == MetricUnit.Number && list.Min() > 0 && list.Max() / list.Min() > Decade;
        var axis = isWide ? Axis.OverFactors(list.Min(), list.Max(), 7) : Axis.Over(list.Min(), list.Max(), 6);
        return new PlotAxis(figure.Label + (figure.HigherIsBetter ? "" : " (lower is better)"), axis, Format(figure.Unit));
    }

    private static IEnumerable<double> Ends(double value, ConfidenceInterval? interval) =>
        (interval is null ? [value] : new[] { value, interval.Low, interval.High }).Where(double.IsFinite);

    private static Func<double, string> Format(MetricUnit unit) => unit == MetricUnit.Share ? ReportText.Percent : Axis.Label;

    private static string Told(ShownFigure figure, FigureValue value) =>
        $"{figure.Label} {ComparisonText.Figure(value.Value, value.Interval, figure.Unit)}{(figure.Unit == MetricUnit.Share ? " %" : "")}";

    private static string Short(double count) => count < 10_000 ? count.ToString("N0") : Axis.Label(count).Replace("k", " k", StringComparison.Ordinal)
        .Replace("M", " M", StringComparison.Ordinal).Replace("G", " G", StringComparison.Ordinal);
}
