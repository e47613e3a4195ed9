using Meft.Demonstration;

namespace Meft.Cli.Views;

/// <summary>A demonstration's result as a table, a column for the base and one for each method, or as JSON.</summary>
internal static class DemoReportView
{
    private const int LabelWidth = 40, ColumnWidth = 14, NameWidth = 14;

    /// <summary>One JSON document.</summary>
    public static void WriteJson(DemoReport report, TextWriter text) => text.WriteLine(JsonText.Document(report));

    /// <summary>A table and a sample.</summary>
    public static void WriteText(DemoReport report, TextWriter text)
    {
        var model = report.Base;
        Knowledge[] knowledge = [model.Knowledge, .. report.Methods.Select(m => m.Knowledge)];
        TrainingReport[] trainings = [model.Training, .. report.Methods.Select(m => m.Training)];

        text.WriteLine($"The base: {model.Layers} layers, hidden size {model.HiddenSize}, trained from scratch on {model.Training.Tokens:N0} tokens.");
        foreach (var method in report.Methods) text.WriteLine($"{method.Name}: {method.Description}.");
        text.WriteLine();
        Row("", ["base alone", .. report.Methods.Select(m => $"with {m.Name}")]);
        Row($"{report.TaughtFacts} new facts recalled", knowledge.Select(k => Share(k.NewFacts)));
        Row("  in sentences that were not trained", knowledge.Select(k => Share(k.Paraphrases)));
        Row("facts of the old text recalled", knowledge.Select(k => Share(k.OldFacts)));
        Row("loss on old text, nats a token", knowledge.Select(k => $"{k.OldTextLoss:0.000}"));
        Row("trained parameters", [$"{model.Parameters:N0}", .. report.Methods.Select(m => $"{m.Parameters:N0}")]);
        Row("  against the base", ["1.0 x", .. report.Methods.Select(m => $"{m.Parameters / (double)model.Parameters:0.0} x")]);
        Row("training loss, first steps", trainings.Select(t => $"{t.FirstLoss:0.000}"));
        Row("training loss, last steps", trainings.Select(t => $"{t.LastLoss:0.000}"));
        Row("steps", trainings.Select(t => $"{t.Steps:N0}"));
        Row("seconds a step (median)", trainings.Select(t => $"{t.SecondsPerStep:0.000}"));
        Row("seconds of training", trainings.Select(t => $"{t.Seconds:0.0}"));
        Row("device memory, peak", trainings.Select(t => Quantities.Bytes(t.DeviceBytesPeak)));
        Row("host memory of what is trained", trainings.Select(t => Quantities.Bytes(t.HostBytes)));
        Row("rows active in a step", trainings.Select(t => t.ActiveRows is { } active ? Share(active) : "-"));
        text.WriteLine();
        text.WriteLine($"{"taught".PadRight(NameWidth)}{model.Sample.Prompt} >>{model.Sample.Fact}");
        Continuation("base alone", model.Sample);
        foreach (var method in report.Methods) Continuation($"with {method.Name}", method.Sample);
        text.WriteLine();
        text.WriteLine($"{report.Seconds:0} seconds in all, {report.Threads} {(report.Threads == 1 ? "thread" : "threads")}, seed {report.Seed}.");

        void Row(string label, IEnumerable<string> cells) =>
            text.WriteLine(label.PadRight(LabelWidth) + string.Concat(cells.Select(cell => cell.PadLeft(ColumnWidth))));

        void Continuation(string name, Sample sample) => text.WriteLine($"{name.PadRight(NameWidth)}{sample.Prompt} >>{sample.Text}");
    }

    private static string Share(double share) => $"{share * 100:0.0} %";
}
