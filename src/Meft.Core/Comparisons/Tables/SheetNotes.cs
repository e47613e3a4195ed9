using System.Globalization;
using Meft.Core.Comparisons.Results;
using Meft.Core.Evaluation.Statistics;

namespace Meft.Core.Comparisons.Tables;

/// <summary>What stands below a comparison's table.</summary>
internal static class SheetNotes
{
    /// <summary>The notes, in order.</summary>
    /// <param name="result">The comparison.</param>
    /// <param name="anyPlanned">Whether bytes are marked as planned.</param>
    /// <param name="anyAtEdge">Whether a rate is marked as at the end of its grid.</param>
    public static IEnumerable<string> Of(ComparisonResult result, bool anyPlanned, bool anyAtEdge)
    {
        foreach (var method in result.Methods)
        {
            if (method.DoesNotFit is { } reason) yield return Sentence($"{method.Name} does not fit: {reason}");
            else if (method.Failure is { } failure) yield return Sentence($"{method.Name} failed{(method.Figures is null ? "" : " in part")}: {failure}");
            if (method.Figures is [var score, ..] && score.PerSeed.Count < result.Seeds.Count)
                yield return $"{method.Name}: {score.PerSeed.Count} of {result.Seeds.Count} seeds.";
        }
        if (result.IsJudged)
        {
            var means = result.Seeds.Count > 1 ? $"Means over {result.Seeds.Count} seeds; in" : "In";
            yield return $"{means} brackets the 95 % interval over records{(result.Reference is null ? "" : ", of differences over the same records")}.";
        }
        if (result.CostMachines is { Count: > 1 } machines)
            yield return Sentence($"Bytes and seconds of a row are of one machine: {string.Join("; ", machines.Select((machine, i) => $"{MarkOf(i)}: {machine}"))}");
        foreach (var (figure, records) in result.Figures.Zip(result.Records ?? []).Where(f => f.Second < ClusteredBootstrap.FewClusters))
            yield return $"{figure.Label} is of {records} {(records == 1 ? "record" : "records")}: {(records == 1 ? "it has no interval" : "intervals over so few say little")}.";
        if (Beta1(result) is { Count: > 1 } values)
            yield return Sentence($"AdamW's beta1 differs: {string.Join("; ", values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Key} of {string.Join(", ", value)}")))}");
        if (anyPlanned) yield return "~ is planned, not measured.";
        if (anyAtEdge) yield return "* is a rate from an end of those tried: a better one may lie beyond.";
        if (result.IsJudged && result.Figures.Any(f => !f.HigherIsBetter)) yield return "↓ is better when lower.";
        if (result.IsJudged && result.Figures.Any(f => f.IsOldKnowledge)) yield return "(old) is what the model knew before training.";
        if (result.Before is null) yield return "Planned alone: nothing has been trained.";
        else if (!result.IsComplete) yield return "Not complete: the same command goes on where it was.";
    }

    /// <summary>A machine's mark: A for the first of several, Z for all beyond the 26th.</summary>
    public static string MarkOf(int machine) => ((char)('A' + Math.Min(machine, 25))).ToString();

    /// <summary>The names of the methods by their beta1, where that is known.</summary>
    private static IReadOnlyList<IGrouping<double, string>> Beta1(ComparisonResult result) =>
        [.. result.Methods.Where(m => m.Beta1 is not null).GroupBy(m => m.Beta1!.Value, m => m.Name)];

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";
}
