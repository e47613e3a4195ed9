using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Planning;
using Meft.Training.Runs;

namespace Meft.Cli.Verbs;

/// <summary><c>meft train</c>: fine-tune a model as a config says.</summary>
internal sealed class TrainVerb : IVerb
{
    private readonly Argument<string> _config = new("CONFIG.yaml") { Description = "The run's config; docs/config.md describes every key." };
    private readonly Option<string[]> _set = SetOption.Create("method.rank=8192");
    private readonly Option<bool> _resume = new("--resume") { Description = "Go on from the newest complete checkpoint of the output folder." };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Remove the run in the output folder and start anew." };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Load and check model, data and method, say what would run, write nothing." };

    private readonly Option<int?> _threads = ThreadsOption.Create("Threads that compute; the default is one a physical core. Other counts may give other bits.");

    public TrainVerb() => Command = new Command("train", "Fine-tune a model as a config says.") { _config, _set, _resume, _overwrite, _dryRun, _threads };

    /// <inheritdoc/>
    public Job Job => Job.Train;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft train configs/stories260K.yaml --set method.rank=2048";

    /// <summary>Told after each step how many have been taken; null for nobody.</summary>
    public Action<int>? AfterStep { get; init; }

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var config = RunConfig.LoadToRun(arguments.GetRequiredValue(_config), arguments.GetValue(_set)!);
        var view = new TrainingView(context.Status, AfterStep);
        var dryRun = arguments.GetValue(_dryRun);
        ThreadsOption.Use(arguments.GetValue(_threads));
        using var run = Prepare(config, arguments, dryRun, view, context);
        view.Describe(run);
        if (dryRun) AuditView.Write(run.Audit, context.Results);
        else AuditView.Write(run.Audit, context.Status);
        if (dryRun)
        {
            context.Results.WriteLine($"dry run: {run.TotalSteps} steps would be taken; nothing was written");
            return 0;
        }

        var result = view.Watch(observer => run.Run(observer, context.Cancellation), context.Interruption, context.Cancellation);
        if (result.Interrupted)
        {
            throw new WorkStoppedException(
                $"stopped after step {result.Steps} of {run.TotalSteps}; its state is saved", config.Output,
                $"go on with `meft train {Path.Combine(config.Output, "config.yaml")} --resume`");
        }
        RunSummary.Write(context.Results, run, result);
        return 0;
    }

    private TrainingRun Prepare(RunConfig config, ParseResult arguments, bool dryRun, TrainingView view, VerbContext context)
    {
        try
        {
            return LoadingView.Run(context.Status, loading => TrainingRun.Prepare(
                config, Existing(arguments), writes: !dryRun, loading, CalibrationCache.OfUser(),
                planned => { if (dryRun) PlanView.WriteText(planned, context.Results); else view.Describe(planned); }, context.Cancellation));
        }
        catch (DataRefusedException e)
        {
            AuditView.WriteBesideError("data", e.Audit, context.Status);
            throw;
        }
    }

    private ExistingRun Existing(ParseResult arguments)
    {
        var (resume, overwrite) = (arguments.GetValue(_resume), arguments.GetValue(_overwrite));
        if (resume && overwrite) throw new InvalidInputException("--resume and --overwrite exclude each other", null, "one of them");
        return resume ? ExistingRun.Resume : overwrite ? ExistingRun.Overwrite : ExistingRun.Refuse;
    }
}
