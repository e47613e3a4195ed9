using Meft.Core.Comparisons;
using Meft.Core.Comparisons.Results;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Results;
using Meft.Loading;
using Meft.Training.Runs;

namespace Meft.Comparisons;

/// <summary>The questions of a task, made once and put to every model of a comparison.</summary>
internal sealed class AskedTask
{
    private readonly IReadOnlyList<EvalQuestion> _questions;
    private IReadOnlyList<EvalItem>? _items;

    private AskedTask(TaskSource source, IReadOnlyList<EvalQuestion> questions)
    {
        (Source, _questions) = (source, questions);
        var data = string.Join('\n', EvalQuestions.FilesOf(source.Data).Select(RunManifest.HashOf));
        Fact = RunManifest.HashOfText(string.Join('\n',
        [
            source.Task.Source, data, source.Records.ToString(), source.Batch.ToString(System.Globalization.CultureInfo.InvariantCulture),
            .. source.Metrics.Select(m => $"{m.Part}/{m.Metric}"),
        ]))[..16];
    }

    /// <summary>Where the questions come from.</summary>
    public TaskSource Source { get; }

    /// <summary>What the answers depend on beside the model, in short.</summary>
    public string Fact { get; }

    /// <summary>Reads the records and makes the questions.</summary>
    /// <exception cref="InvalidInputException">A record does not fit the task, or nothing is asked of what is to be shown.</exception>
    public static AskedTask Read(TaskSource source)
    {
        var questions = EvalQuestions.Read(source.Task, source.Data, source.Records);
        var asked = questions.Select(question => question.Part.Name).ToHashSet(StringComparer.Ordinal);
        if (source.Metrics.FirstOrDefault(metric => !asked.Contains(metric.Part)) is not { } empty) return new AskedTask(source, questions);
        throw new InvalidInputException(
            $"none of the {questions.DistinctBy(q => q.Record).Count():N0} records taken has a question of the part '{empty.Part}', of which {empty.Metric} is to be shown", source.Data,
            $"records with one, or other figures in show: {string.Join(", ", asked)}", "Check the part's when, and skip and first");
    }

    /// <summary>The questions as the model gets them. All models of a comparison have one tokenizer.</summary>
    public IReadOnlyList<EvalItem> Items(LoadedModel model) => _items ??= EvalItems.Encode(_questions, model.Tokenizer, model.Limits, Source.Task.Limited(Source.Records.First).Windows);

    /// <summary>The numbers of the shown figures, from a row for each item.</summary>
    public IEnumerable<FigureNumbers> Numbers(IReadOnlyDictionary<int, EvalRow> rows) => Source.Metrics.Select(metric =>
        FigureNumbers.Of(EvalSummary.ObservationsOf(metric.Part, metric.Metric, _items!, rows)));

    /// <summary>What is judged by where one figure has to decide: the mean of the shown ones.</summary>
    public ShownFigure Mean()
    {
        var all = Figures().ToList();
        return all.Count == 1 ? all[0] : all[0] with { Label = $"mean of {string.Join(", ", all.SkipLast(1).Select(f => f.Label))} and {all[^1].Label}" };
    }

    /// <summary>The shown figures.</summary>
    public IEnumerable<ShownFigure> Figures() => Source.Metrics.Select(metric => new ShownFigure(
        metric.Label, Source.Task.Name,
        metric.Metric is EvalSummary.Perplexity or EvalSummary.NllPerToken ? MetricUnit.Number : MetricUnit.Share,
        FigureStatistics.HigherIsBetter(metric.Metric), Source.IsOldKnowledge));
}
