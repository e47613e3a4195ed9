using Meft.Demonstration;

namespace Meft.Cli.Views;

/// <summary>A demonstration's result: the base, the methods side by side, how each goes on from a prompt, what the numbers say; or all of it as JSON.</summary>
internal static class DemoReportView
{
    /// <summary>One JSON document.</summary>
    public static string Json(DemoReport report) => JsonText.Document(report);

    /// <summary>Tables, samples, sentences.</summary>
    /// <param name="report">What was found.</param>
    /// <param name="text">Where to.</param>
    /// <param name="width">How many columns a line may have.</param>
    public static void WriteText(DemoReport report, TextWriter text, int width = ComparisonTable.DefaultWidth)
    {
        var model = report.Base;
        ComparisonTable.WriteWrapped(
            $"base: {model.Layers} layers, hidden size {model.HiddenSize}, trained from scratch on {model.Training.Cost.Tokens:N0} tokens in {model.Training.Cost.Seconds:0} s",
            text, width);
        foreach (var line in report.Methods) ComparisonTable.WriteWrapped(line, text, width);
        text.WriteLine();
        ComparisonTable.Write(report.Comparison, text, width);
        text.WriteLine();
        var names = report.Samples.Append(model.Sample).Max(sample => sample.Model.Length) + 2;
        Continuation("taught", model.Sample.Fact);
        foreach (var sample in report.Samples.Prepend(model.Sample)) Continuation(sample.Model, sample.Text);
        text.WriteLine();
        foreach (var sentence in report.Reading) ComparisonTable.WriteWrapped(sentence, text, width);
        text.WriteLine($"{report.Seconds:0} seconds in all, {report.Threads} {(report.Threads == 1 ? "thread" : "threads")}, seed {report.Seed}.");

        // One line each: what follows the first sentence shows no more than that the language is intact.
        void Continuation(string name, string end)
        {
            var line = $"{name.PadRight(names)}{model.Sample.Prompt} >>{end}";
            text.WriteLine(line.Length <= width ? line : string.Concat(line.AsSpan(0, width - 1), "…"));
        }
    }
}
