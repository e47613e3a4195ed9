using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Planning;

namespace Meft.Cli.Verbs;

/// <summary><c>meft plan</c>: what a run will take, before anything is allocated.</summary>
internal sealed class PlanVerb : IVerb
{
    private readonly Argument<string> _config = new("CONFIG.yaml") { Description = "The run's config; of the model, its config.json is enough." };
    private readonly Option<string[]> _set = SetOption.Create("method.rank=8192");
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON document." };

    public PlanVerb() => Command = new Command("plan", "Say what a run will take: memory by tier, traffic, seconds.") { _config, _set, _json };

    /// <inheritdoc/>
    public Job Job => Job.Train;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft plan configs/stories260K.yaml --set method.rank=65536";

    /// <summary>Where this machine's speeds are kept.</summary>
    public CalibrationCache Calibrations { get; init; } = CalibrationCache.OfUser();

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var planned = PlannedRun.Of(RunConfig.Load(arguments.GetRequiredValue(_config), arguments.GetValue(_set)!), Calibrations);
        if (arguments.GetValue(_json)) PlanView.WriteJson(planned, context.Results);
        else PlanView.WriteText(planned, context.Results);
        planned.Require();
        return 0;
    }
}
