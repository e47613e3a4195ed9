using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Errors;
using Meft.Inspection;

namespace Meft.Cli.Verbs;

/// <summary><c>meft inspect</c>: what a path holds.</summary>
internal sealed class InspectVerb : IVerb
{
    private const int DefaultRank = 4096, MostRank = 1 << 24;

    private readonly Argument<string> _path = new("PATH") { Description = "A model folder, .gguf, .safetensors, adapter folder, run folder or checkpoint." };
    private readonly Option<int> _rank = new("--rank")
    { HelpName = "R", DefaultValueFactory = _ => DefaultRank, Description = $"Say what a sparse adapter of so many neurons a layer would add [{DefaultRank}]." };
    private readonly Option<bool> _tensors = new("--tensors") { Description = "List every tensor, of models too." };
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON document, tensors included." };

    public InspectVerb() => Command = new Command("inspect", "Show what a model, adapter, run, checkpoint or file of tensors holds.")
    {
        _path, _rank, _tensors, _json,
    };

    /// <inheritdoc/>
    public Job Job => Job.Look;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft inspect models/smollm2 --rank 16384";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var rank = arguments.GetValue(_rank);
        if (rank is < 1 or > MostRank) throw new InvalidInputException($"--rank is {rank}", null, $"1 to {MostRank}");
        var report = PathInspector.Inspect(arguments.GetRequiredValue(_path), rank);
        if (arguments.GetValue(_json)) context.Results.WriteLine(JsonText.Document(report));
        else new PathReportView(context.Results).Write(report, arguments.GetValue(_tensors));
        return 0;
    }
}
