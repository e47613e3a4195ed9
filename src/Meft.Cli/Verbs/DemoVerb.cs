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
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON document." };

    public DemoVerb() => Command = new Command(
        "demo", "Train a small base model from scratch, teach it new facts through a sparse adapter, show what it cost and what it knows.")
    {
        _seed, _quick, _json,
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
        var start = Stopwatch.GetTimestamp();
        var threads = ComputeThreads.Use();
        var options = (arguments.GetValue(_quick) ? DemoOptions.Quick : new DemoOptions()) with { Seed = (ulong)seed };
        var report = DemoProgressView.Watch(context.Status, progress =>
        {
            progress.Remark($"seed {seed}, {threads} {(threads == 1 ? "thread" : "threads")}");
            return Demo.Run(options, progress, context.Cancellation);
        });
        report = report with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
        if (arguments.GetValue(_json)) DemoReportView.WriteJson(report, context.Results);
        else DemoReportView.WriteText(report, context.Results);
        if (arguments.GetValue(_quick)) context.Status.WriteLine("--quick only shows that everything works; run `meft demo` to see it learn.");
        return 0;
    }
}
