using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Tasks;

namespace Meft.Core.Comparisons.Reading;

/// <summary>Reads which figures of a task are shown, and under which labels.</summary>
/// <param name="task">The task with all of its parts.</param>
/// <param name="errors">Takes errors.</param>
internal sealed class ShownMetrics(EvalTask task, ConfigErrors errors)
{
    private const string MetricKey = "metric", LabelKey = "label";

    /// <summary>Metrics that say no more than that an answer is right: the part's name alone tells of them.</summary>
    private static readonly string[] OfRightAnswers = ["exact_match", "contains", "starts_with", "number", "call", EvalRow.Accuracy];

    private readonly IReadOnlyList<(string Part, string Metric)> _figures =
        [.. task.Parts.SelectMany(part => EvalSummary.NamesOf(part).Select(metric => (part.Name, metric)))];

    /// <summary>The keys of a figure that has a label.</summary>
    public static IReadOnlyList<string> Keys { get; } = [MetricKey, LabelKey];

    private bool HasOnePart => task.Parts.Count == 1;

    private string Allowed => $"figures of {task.Name}: {string.Join(", ", _figures.Select(TextOf))}";

    /// <summary>Reads them, in order; all of the task where nothing is said; none where there are errors.</summary>
    /// <param name="show">A figure or a list of them; null for nothing.</param>
    /// <param name="key">The key in errors.</param>
    public IReadOnlyList<ShownMetric> Read(ConfigNode? show, string key)
    {
        if (show is null) return Labelled([.. _figures.Select(figure => (figure, (string?)null))]);
        var nodes = show is ConfigSequence list ? list.Items : [show];
        if (nodes.Count == 0) errors.Add(show.Place, key, "an empty list shows nothing", $"{Allowed}; all of them where the key is left out");
        var read = nodes.Select(node => One(node, key)).ToList();
        if (read.Any(one => one is null)) return [];
        var chosen = read.Select(one => one!.Value).ToList();
        foreach (var twice in chosen.GroupBy(one => one.Figure).Where(same => same.Count() > 1))
        {
            errors.Add(show.Place, key, $"{TextOf(twice.Key)} stands twice", "each figure once");
            return [];
        }
        return Labelled(chosen);
    }

    private ((string Part, string Metric) Figure, string? Label)? One(ConfigNode node, string key)
    {
        if (node is not ConfigMapping) return Find(node, key) is { } plain ? (plain, null) : null;
        var group = new ConfigGroup(node, $"{key}.", Keys, errors);
        var label = group.ReadOrNull(LabelKey, new TextType());
        if (group.Find(MetricKey) is not { } metric)
        {
            group.Refuse(MetricKey, "is missing", Allowed);
            return null;
        }
        return Find(metric.Value, $"{key}.{MetricKey}") is { } figure ? (figure, label) : null;
    }

    private (string Part, string Metric)? Find(ConfigNode node, string key)
    {
        var text = (node as ConfigScalar)?.Text;
        foreach (var figure in _figures)
        {
            if (text == $"{figure.Part}/{figure.Metric}" || (HasOnePart && text == figure.Metric)) return figure;
        }
        var meant = text is not null && NearestName.IfClose(text, _figures.Select(TextOf)) is { } nearest ? $" (did you mean {nearest}?)" : "";
        errors.Add(node.Place, key, $"{node.Describe()} is no figure of the task{meant}", Allowed);
        return null;
    }

    private string TextOf((string Part, string Metric) figure) => HasOnePart ? figure.Metric : $"{figure.Part}/{figure.Metric}";

    private IReadOnlyList<ShownMetric> Labelled(IReadOnlyList<((string Part, string Metric) Figure, string? Label)> chosen)
    {
        return [.. chosen.Select(one => new ShownMetric(one.Figure.Part, one.Figure.Metric, one.Label ?? Tidy(Plain(one.Figure))))];

        string Plain((string Part, string Metric) figure)
        {
            if (figure.Part == TaskReader.OnlyPart && HasOnePart) return figure.Metric;
            var tellsAll = OfRightAnswers.Contains(figure.Metric) && chosen.Count(other => other.Figure.Part == figure.Part) == 1;
            return tellsAll ? figure.Part : $"{figure.Part} {figure.Metric}";
        }
    }

    private static string Tidy(string name) => name.Replace('_', ' ');
}
