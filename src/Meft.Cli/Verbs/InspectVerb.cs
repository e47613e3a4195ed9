using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Errors;
using Meft.Inspection;

namespace Meft.Cli.Verbs;

/// <summary><c>meft inspect</c>: what a path holds.</summary>
internal sealed class InspectVerb : IVerb
{
    private const int MostRank = 1 << 24, MostLoraRank = 1 << 16;

    private readonly Argument<string> _path = new("PATH") { Description = "A model folder, .gguf, .safetensors, tokenizer folder, adapter folder, run folder or checkpoint." };
    private readonly Option<int> _rank = new("--rank")
    {
        HelpName = "R",
        DefaultValueFactory = _ => PathInspector.DefaultRank,
        Description = $"Say what a sparse adapter of so many neurons a layer would add to a model [{PathInspector.DefaultRank}].",
    };
    private readonly Option<int> _loraRank = new("--lora-rank")
    {
        HelpName = "r",
        DefaultValueFactory = _ => PathInspector.DefaultLoraRank,
        Description = $"Say what LoRA of this rank would add beside it [{PathInspector.DefaultLoraRank}].",
    };
    private readonly Option<bool> _tensors = new("--tensors") { Description = "List every tensor; of a file that is no known model the first are listed without it." };
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON document, tensors included." };

    public InspectVerb() => Command = new Command("inspect", "Show what a model, tokenizer, adapter, run, checkpoint or file of tensors holds.")
    {
        _path, _rank, _loraRank, _tensors, _json,
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
        var loraRank = arguments.GetValue(_loraRank);
        if (loraRank is < 1 or > MostLoraRank) throw new InvalidInputException($"--lora-rank is {loraRank}", null, $"1 to {MostLoraRank}");
        var report = PathInspector.Inspect(arguments.GetRequiredValue(_path), rank, loraRank);
        if (arguments.GetValue(_json)) context.Results.WriteLine(JsonText.Document(report));
        else new PathReportView(context.Results).Write(report, arguments.GetValue(_tensors));
        return 0;
    }
}
