using Meft.Core.Evaluation.Statistics;
using Meft.Core.Evaluation.Tasks;

namespace Meft.Core.Evaluation.Results;

/// <summary>How a figure is to be read.</summary>
public enum MetricUnit
{
    /// <summary>A share or a probability, 1 for all.</summary>
    Share,

    /// <summary>A number.</summary>
    Number,
}

/// <summary>A figure of a part of a task.</summary>
/// <param name="Part">The part.</param>
/// <param name="Slice">The share of its questions that it is over; null for all.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Unit">How the value is to be read.</param>
/// <param name="Value">The value.</param>
/// <param name="Interval">Its 95 % interval; null where there are fewer than two clusters.</param>
/// <param name="Count">How many questions, or windows, it is over.</param>
public sealed record MetricResult(
    string Part, string? Slice, string Metric, MetricUnit Unit, double Value, ConfidenceInterval? Interval, int Count);

/// <summary>The figures of a task, computed from the rows alone.</summary>
/// <param name="Records">How many records were asked.</param>
/// <param name="Items">How many questions and windows there were.</param>
/// <param name="FewestClusters">How many records, groups of them, or windows the intervals of a part are over; of the part that has the fewest.</param>
/// <param name="Results">The figures, in the order of the parts.</param>
public sealed record EvalSummary(int Records, int Items, int FewestClusters, IReadOnlyList<MetricResult> Results)
{
    /// <summary>The figures of a text.</summary>
    public const string Perplexity = "perplexity", NllPerToken = "nll_per_token";

    private const string Answerable = "answerable", Unanswerable = "unanswerable";

    /// <summary>Sums up.</summary>
    /// <param name="task">The task.</param>
    /// <param name="items">All items.</param>
    /// <param name="rows">A row for each item, in any order.</param>
    /// <param name="seed">The seed of the intervals.</param>
    public static EvalSummary Of(EvalTask task, IReadOnlyList<EvalItem> items, IEnumerable<EvalRow> rows, long seed)
    {
        var byIndex = rows.ToDictionary(row => row.Index);
        var results = task.Parts.SelectMany(part => ResultsOf(
            part, [.. items.Where(item => ReferenceEquals(item.Question.Part, part)).Select(item => (item, byIndex[item.Index]))], seed));
        var fewest = items.GroupBy(item => item.Question.Part).Select(part => part.Select(item => item.Cluster).Distinct().Count()).DefaultIfEmpty().Min();
        return new EvalSummary(items.Select(item => item.Question.Record).Distinct().Count(), items.Count, fewest, [.. results]);
    }

    /// <summary>The names of a part's figures over all of its questions, in their order.</summary>
    public static IReadOnlyList<string> NamesOf(TaskPart part) => part.Kind switch
    {
        QuestionKind.Perplexity => [Perplexity, NllPerToken],
        QuestionKind.Choose => [EvalRow.Accuracy, EvalRow.Magnitude],
        _ => [.. part.Metrics.SelectMany(metric => metric.Names)],
    };

    /// <summary>What each question or window adds to a figure: the figure is the ratio of their sums, a perplexity e to the power of it.</summary>
    /// <param name="part">The part of the task.</param>
    /// <param name="metric">The figure's name.</param>
    /// <param name="items">All items.</param>
    /// <param name="rows">A row for each item, by index.</param>
    public static IReadOnlyList<Observation> ObservationsOf(
        string part, string metric, IReadOnlyList<EvalItem> items, IReadOnlyDictionary<int, EvalRow> rows) =>
        ObservationsOf(metric, [.. items.Where(item => item.Question.Part.Name == part).Select(item => (item, rows[item.Index]))]);

    private static List<Observation> ObservationsOf(string metric, IReadOnlyList<(EvalItem Item, EvalRow Row)> answered) => metric is Perplexity or NllPerToken
        ? [.. answered.Select(pair => new Observation(pair.Item.Cluster, pair.Row.Scores[EvalRow.Nll], pair.Row.Scores[EvalRow.Tokens]))]
        : [.. answered.Select(pair => new Observation(
            pair.Item.Cluster, pair.Item.Question.Weight * pair.Row.Scores[metric], pair.Item.Question.Weight))];

    private static IEnumerable<MetricResult> ResultsOf(TaskPart part, IReadOnlyList<(EvalItem Item, EvalRow Row)> answered, long seed)
    {
        if (answered.Count == 0) return [];
        switch (part.Kind)
        {
            case QuestionKind.Perplexity:
                return Perplexities(part, answered, seed);
            case QuestionKind.Choose:
                return Means(part, null, NamesOf(part), answered, seed);
            default:
                var names = NamesOf(part);
                var all = Means(part, null, names, answered, seed);
                if (part.NoAnswer is null) return all;
                var slices = answered.ToLookup(pair => ((GenerateQuestion)pair.Item.Question).Answers.Count > 0 ? Answerable : Unanswerable);
                return [.. all, .. new[] { Answerable, Unanswerable }.Where(slices.Contains).SelectMany(s => Means(part, s, names, [.. slices[s]], seed))];
        }
    }

    private static IEnumerable<MetricResult> Means(
        TaskPart part, string? slice, IReadOnlyList<string> names, IReadOnlyList<(EvalItem Item, EvalRow Row)> answered, long seed)
    {
        foreach (var name in names)
        {
            var observations = ObservationsOf(name, answered);
            yield return new MetricResult(part.Name, slice, name, MetricUnit.Share, ClusteredBootstrap.Ratio(observations),
                ClusteredBootstrap.Interval(observations, seed), observations.Count);
        }
    }

    /// <summary>The mean over tokens, not over windows, and e to its power.</summary>
    private static IEnumerable<MetricResult> Perplexities(TaskPart part, IReadOnlyList<(EvalItem Item, EvalRow Row)> answered, long seed)
    {
        var observations = ObservationsOf(NllPerToken, answered);
        var nll = ClusteredBootstrap.Ratio(observations);
        var interval = ClusteredBootstrap.Interval(observations, seed);
        var risen = interval is null ? null : new ConfidenceInterval(Math.Exp(interval.Low), Math.Exp(interval.High));
        yield return new MetricResult(part.Name, null, Perplexity, MetricUnit.Number, Math.Exp(nll), risen, observations.Count);
        yield return new MetricResult(part.Name, null, NllPerToken, MetricUnit.Number, nll, interval, observations.Count);
    }
}
