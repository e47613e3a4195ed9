using Meft.Cli.CommandLine;
using Meft.Cli.Verbs;

namespace Meft.Cli.Tests;

/// <summary>The program run in process, with what it wrote.</summary>
internal sealed record ProgramRun(int ExitCode, string Output, string Error)
{
    /// <summary>The lines of standard error.</summary>
    public IReadOnlyList<string> ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static ProgramRun Of(params string[] args) => Of(VerbList.Create(), args);

    public static ProgramRun Of(IReadOnlyList<IVerb> verbs, string[] args) => OfInterruptible(verbs, args, CancellationToken.None);

    public static ProgramRun OfInterruptible(IReadOnlyList<IVerb> verbs, string[] args, CancellationToken cancellation)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = new MeftProgram(verbs, new StandardStreams(output, error, ErrorIsTerminal: false)).Run(args, cancellation);
        return new ProgramRun(exitCode, output.ToString(), error.ToString());
    }
}
