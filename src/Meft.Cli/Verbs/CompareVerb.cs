using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Comparisons;
using Meft.Core.Comparisons.Reading;
using Meft.Core.Errors;
using Spectre.Console;

namespace Meft.Cli.Verbs;

/// <summary><c>meft compare</c>: methods side by side on one task and budget.</summary>
internal sealed class CompareVerb : IVerb
{
    private readonly Argument<string> _config = new("CONFIG.yaml") { Description = "Methods, task and budget; docs/compare.md describes every key." };
    private readonly Option<string[]> _set = SetOption.Create("seeds=[0] or run.epochs=2");
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Check everything and plan every method; train nothing, leave nothing behind." };
    private readonly Option<bool> _json = new("--json") { Description = "Write the result as one JSON document." };
    private readonly Option<int?> _threads = ThreadsOption.Create("Threads that compute; the default is one a physical core. Other counts may give other bits.");

    public CompareVerb() => Command = new Command(
        "compare", "Train and judge several methods alike, and show them side by side; interrupted, the same command goes on where it was.")
    { _config, _set, _dryRun, _json, _threads };

    /// <inheritdoc/>
    public Job Job => Job.Train;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft compare configs/compare/facts1000.yaml --set seeds=[0]";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var config = ComparisonFile.Load(arguments.GetRequiredValue(_config), arguments.GetValue(_set)!);
        ThreadsOption.Use(arguments.GetValue(_threads));
        var (result, stopped) = CompareProgress.Run(context.Status, observer =>
        {
            if (arguments.GetValue(_dryRun)) return (Comparison.Plan(config, observer), false);
            using var comparison = Comparison.Prepare(config, observer);
            try
            {
                return (comparison.Run(context.Cancellation), false);
            }
            catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
            {
                return (comparison.Result, true);
            }
        });
        if (stopped)
        {
            throw new WorkStoppedException(
                "stopped before the comparison was complete; what is done is saved", config.Output, "the same command goes on where it was");
        }
        if (arguments.GetValue(_json)) context.Results.WriteLine(result.ToJson());
        else ComparisonTable.Write(result, context.Results);
        if (!arguments.GetValue(_dryRun)) context.Status.WriteLine($"report     {Path.Combine(config.Output, Comparison.ReportFile)}");
        return 0;
    }
}
