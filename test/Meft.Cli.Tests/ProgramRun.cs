using Meft.Cli.CommandLine;
using Meft.Cli.Verbs;

namespace Meft.Cli.Tests;

/// <summary>The program run in process, with what it wrote.</summary>
internal sealed record ProgramRun(int ExitCode, string Output, string Error)
{
    /// <summary>The lines of standard error.</summary>
    public IReadOnlyList<string> ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Standard output with one blank wherever blanks or ends of lines stand: long texts are broken into lines.</summary>
    public string Words => string.Join(' ', Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));

    public static ProgramRun Of(params string[] args) => Of(VerbList.Create(), args);

    public static ProgramRun Of(IReadOnlyList<IVerb> verbs, string[] args) => OfInterruptible(verbs, args, CancellationToken.None);

    public static ProgramRun OfInterruptible(IReadOnlyList<IVerb> verbs, string[] args, CancellationToken cancellation)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = new MeftProgram(verbs, new StandardStreams(output, error, ErrorIsTerminal: false)).Run(args, cancellation);
        return new ProgramRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>With lines that are typed or piped in.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="input">The lines.</param>
    /// <param name="inputIsTerminal">Whether they are typed.</param>
    /// <param name="onOutput">Called for each piece that is written.</param>
    /// <param name="interruption">What takes signals.</param>
    public static ProgramRun OfConversation(
        string[] args, TextReader input, bool inputIsTerminal = false, Action? onOutput = null, Interruption? interruption = null)
    {
        using var output = new ObservedWriter(onOutput) { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var streams = new StandardStreams(output, error, ErrorIsTerminal: false) { Input = input, InputIsTerminal = inputIsTerminal };
        var exitCode = new MeftProgram(VerbList.Create(), streams, interruption).Run(args, CancellationToken.None);
        return new ProgramRun(exitCode, output.ToString(), error.ToString());
    }

    private sealed class ObservedWriter(Action? onWrite) : StringWriter
    {
        public override void Write(string? value)
        {
            base.Write(value);
            onWrite?.Invoke();
        }
    }
}
