using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Storage;
using Meft.Loading;
using Spectre.Console;

namespace Meft.Cli.Verbs;

/// <summary><c>meft merge</c>: a LoRA adapter into its base.</summary>
internal sealed class MergeVerb : IVerb
{
    private readonly ModelOptions _model = new(adapterRequired: true, mayQuantize: false);
    private readonly Option<string> _output = new("--output") { HelpName = "FOLDER", Required = true, Description = "The new model's folder; must not exist yet." };

    public MergeVerb()
    {
        Command = new Command("merge", "Merge a LoRA adapter into its base: a model folder of its own.");
        _model.AddTo(Command);
        Command.Options.Add(_output);
    }

    /// <inheritdoc/>
    public Job Job => Job.Use;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft merge --model models/smollm2 --adapter runs/facts/adapter --output models/smollm2-facts";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var output = arguments.GetRequiredValue(_output);
        AtomicFolder.RequireFree(output);
        MergedModel.RequireMergeable(_model.AdapterOf(arguments)!);
        using var model = _model.Load(arguments, context);
        MergedModel.Write(model, output);
        context.Status.WriteLine($"merged in {model.Decoder.DataType}, {Quantities.Count(model.Config.ParameterCount)} parameters");
        context.Results.WriteLine(output);
        return 0;
    }
}
