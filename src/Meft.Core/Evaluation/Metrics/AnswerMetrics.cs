using Meft.Core.Configuration;

namespace Meft.Core.Evaluation.Metrics;

/// <summary>The metrics of answers that a task may name.</summary>
public static class AnswerMetrics
{
    private static readonly Dictionary<string, IAnswerMetric> Known = new[]
    {
        Pair(new BestOf("exact_match", ExactMatch)),
        Pair(new BestOf("f1", TokenF1.Score)),
        Pair(new BestOf("contains", Contains)),
        Pair(new BestOf("starts_with", StartsWith)),
        Pair(new BestOf("number", FinalNumber.Score, answer => FinalNumber.Find(answer) is null ? "has no number" : null)),
        KeyValuePair.Create("tool_call", (IAnswerMetric)new ToolCallMetric()),
    }.ToDictionary();

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names => [.. Known.Keys];

    /// <summary>The metric of a name, or null.</summary>
    public static IAnswerMetric? Find(string name) => Known.GetValueOrDefault(name);

    /// <summary>The name that was probably meant, or null.</summary>
    public static string? IfClose(string name) => NearestName.IfClose(name, Known.Keys);

    /// <summary>1 where both are the same after <see cref="AnswerText.Normalize"/>, else 0 (<c>compute_exact</c> of the SQuAD script).</summary>
    private static double ExactMatch(string prediction, string answer) => AnswerText.Normalize(prediction) == AnswerText.Normalize(answer) ? 1 : 0;

    /// <summary>1 where the answer's normalised words follow each other in the prediction's, else 0. An empty answer is in an empty text only.</summary>
    private static double Contains(string prediction, string answer)
    {
        var words = AnswerText.Normalize(answer);
        var text = AnswerText.Normalize(prediction);
        return words.Length == 0 ? text.Length == 0 ? 1 : 0 : $" {text} ".Contains($" {words} ", StringComparison.Ordinal) ? 1 : 0;
    }

    /// <summary>1 where the prediction begins with the answer, white space around both left out, else 0: the recall of a fact by greedy continuation.</summary>
    private static double StartsWith(string prediction, string answer) =>
        answer.AsSpan().Trim() is { Length: > 0 } wanted && prediction.AsSpan().TrimStart().StartsWith(wanted, StringComparison.Ordinal) ? 1 : 0;

    private static KeyValuePair<string, IAnswerMetric> Pair(BestOf metric) => KeyValuePair.Create(metric.Names[0], (IAnswerMetric)metric);
}
