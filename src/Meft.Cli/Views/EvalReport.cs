using System.Globalization;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Statistics;
using Meft.Core.Evaluation.Tasks;

namespace Meft.Cli.Views;

/// <summary>The result of <c>meft eval</c>, as text and as JSON.</summary>
internal sealed record EvalReport(EvalTask Task, EvalSummary Summary, string Model, string? Adapter, string Data, long Seed)
{
    /// <summary>One JSON document.</summary>
    public string ToJson() => JsonText.Document(new
    {
        Task = Task.Name,
        Task.Description,
        Model,
        Adapter,
        Data,
        Summary.Records,
        Rows = Summary.Items,
        Seed,
        Results = Summary.Results.Select(result => new
        {
            result.Part,
            result.Slice,
            result.Metric,
            result.Unit,
            result.Value,
            result.Interval?.Low,
            result.Interval?.High,
            result.Count,
        }),
    });

    /// <summary>A few lines and a table.</summary>
    public void WriteText(TextWriter text)
    {
        text.WriteLine($"{Task.Name}: {(Task.Description.Length > 0 ? Task.Description : "a task of its own")}");
        text.WriteLine($"{Summary.Records:N0} records, {Summary.Items:N0} rows");
        text.WriteLine();
        var table = new AlignedTable("metric", "value", "95 % interval", "count");
        foreach (var result in Summary.Results)
        {
            table.Add(Name(result), Figure(result.Value, result.Unit),
                result.Interval is { } interval ? $"{Figure(interval.Low, result.Unit)} to {Figure(interval.High, result.Unit)}" : "-",
                result.Count.ToString("N0", CultureInfo.InvariantCulture));
        }
        table.Write(text);
        if (Summary.FewestClusters < ClusteredBootstrap.FewClusters) text.WriteLine($"intervals over as few as {Summary.FewestClusters} say little");
    }

    private string Name(MetricResult result)
    {
        var metric = result.Slice is null ? result.Metric : $"{result.Metric}, {result.Slice}";
        return Task.Parts.Count == 1 ? metric : $"{result.Part}: {metric}";
    }

    private static string Figure(double value, MetricUnit unit) => unit == MetricUnit.Share
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.0} %")
        : value.ToString("0.000", CultureInfo.InvariantCulture);
}
