using System.CommandLine;
using System.Diagnostics;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Errors;
using Meft.Demonstration;
using Meft.Native;
using Spectre.Console;

namespace Meft.Cli.Verbs;

/// <summary><c>meft demo</c>: the main job with nothing but the program.</summary>
internal sealed class DemoVerb : IVerb
{
    private readonly Option<long> _seed = new("--seed") { HelpName = "N", Description = "Everything follows from it: text, start values, order [0]." };
    private readonly Option<bool> _quick = new("--quick") { Description = "So small that it takes seconds; what is learnt then is little." };
    private readonly Option<bool> _rates = new("--rates")
    {
        Description = "Look for each method's learning rate anew, on facts about other people; takes several times as long.",
    };
    private readonly Option<string> _output = new("--output")
    {
        HelpName = "DIR",
        Description = "The folder of page, pictures and table; an earlier demo's are replaced [runs/demo].",
        DefaultValueFactory = _ => Path.Combine("runs", "demo"),
    };
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON document." };

    public DemoVerb() => Command = new Command(
        "demo", "Train a small base model from scratch, teach it new facts through sparse adapters, a dense one and LoRA, show what each costs and knows.")
    {
        _seed, _quick, _rates, _output, _json,
    };

    /// <inheritdoc/>
    public Job Job => Job.TryOut;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft demo --seed 7";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var seed = arguments.GetValue(_seed);
        if (seed < 0) throw new InvalidInputException($"--seed is {seed}", null, "a whole number, at least 0");
        var folder = DemoFolder.At(Path.GetFullPath(arguments.GetValue(_output)!));
        var start = Stopwatch.GetTimestamp();
        var threads = ComputeThreads.Use();
        var options = (arguments.GetValue(_quick) ? DemoOptions.Quick : new DemoOptions()) with { Seed = (ulong)seed, FindsRates = arguments.GetValue(_rates) };
        var report = DemoProgressView.Watch(context.Status, progress =>
        {
            progress.Remark($"seed {seed}, {threads} {(threads == 1 ? "thread" : "threads")}");
            return Demo.Run(options, progress, context.Cancellation);
        });
        report = report with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
        var document = DemoReportView.Json(report);
        folder.Write(report, document);
        if (arguments.GetValue(_json)) context.Results.WriteLine(document);
        else DemoReportView.WriteText(report, context.Results, WidthOf(context.Status.Profile));
        context.Status.WriteLine($"report     {Path.GetRelativePath(Environment.CurrentDirectory, folder.Page)}");
        if (arguments.GetValue(_quick)) context.Status.WriteLine("--quick only shows that everything works; run `meft demo` to see it learn.");
        return 0;
    }

    /// <summary>The terminal's columns, as far as tables can use them; what they take elsewhere.</summary>
    private static int WidthOf(Profile profile) =>
        profile.Capabilities.Interactive ? Math.Clamp(profile.Width, ComparisonTable.DefaultWidth * 2 / 3, ComparisonTable.DefaultWidth) : ComparisonTable.DefaultWidth;
}
