using System.CommandLine;
using Meft.Cli.Chat;
using Meft.Cli.CommandLine;

namespace Meft.Cli.Verbs;

/// <summary><c>meft chat</c>: a conversation with a model, through its own chat template.</summary>
internal sealed class ChatVerb : IVerb
{
    private const int DefaultMaxNewTokens = 512;

    private readonly ModelOptions _model = new();
    private readonly DecodingOptions _decoding = new(DefaultMaxNewTokens);
    private readonly Option<string[]> _stop = DecodingOptions.CreateStop();

    public ChatVerb()
    {
        Command = new Command("chat", "Talk with a model, through its own chat template; /help lists the commands.");
        _model.AddTo(Command);
        _decoding.AddTo(Command);
        Command.Options.Add(_stop);
    }

    /// <inheritdoc/>
    public Job Job => Job.Use;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft chat --model models/smollm2 --adapter runs/facts/adapter";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        using var model = _model.Load(arguments, context);
        var answerer = new Answerer(model, _decoding.Read(arguments, model.Defaults), arguments.GetValue(_stop) ?? []);
        new ChatSession(answerer, context).Run();
        return 0;
    }
}
