using System.CommandLine;
using System.Reflection;
using Meft.Cli.Views;
using Meft.Core.Errors;

namespace Meft.Cli.CommandLine;

/// <summary>
/// The program: finds the verb, runs it, and turns every error into one paragraph on standard error and an exit code: 0 done, 1 failed
/// while running, or stopped by its user, which is no error; 2 wrong arguments, config or input.
/// </summary>
internal sealed class MeftProgram
{
    private readonly IReadOnlyList<IVerb> _verbs;
    private readonly StandardStreams _streams;
    private readonly Interruption? _interruption;
    private readonly RootCommand _root = new("Fine-tunes large language models with large sparse adapters that live in host memory.");
    private readonly Option<bool> _help = new("--help", "-h", "-?") { Description = "Show this help.", Recursive = true };
    private readonly Option<bool> _verbose = new("--verbose") { Description = "Show the details of an error.", Recursive = true };
    private readonly Option<bool> _version = new("--version") { Description = "Show the version." };

    /// <param name="verbs">What it can do.</param>
    /// <param name="streams">Where it reads and writes.</param>
    /// <param name="interruption">What takes Ctrl-C, for verbs that have their own use for it; null for none.</param>
    public MeftProgram(IReadOnlyList<IVerb> verbs, StandardStreams streams, Interruption? interruption = null)
    {
        _interruption = interruption;
        _verbs = verbs;
        _streams = streams;
        _root.Options.Clear();
        _root.Directives.Clear();
        _root.Options.Add(_help);
        _root.Options.Add(_verbose);
        _root.Options.Add(_version);
        foreach (var verb in verbs) _root.Subcommands.Add(verb.Command);
    }

    /// <summary>Runs the verb that the arguments name.</summary>
    /// <returns>The exit code.</returns>
    public int Run(IReadOnlyList<string> args, CancellationToken cancellation = default)
    {
        var arguments = _root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        var verbose = arguments.GetValue(_verbose);
        using var output = new ResultWriter(_streams.Output);
        try
        {
            var exitCode = Run(arguments, output, verbose, cancellation);
            output.Flush();
            return exitCode;
        }
        catch (Exception e)
        {
            var cause = e is AggregateException { InnerExceptions: [var only] } ? only : e;
            if (cause is OutputFailedException { ReaderHasLeft: true }) return 0;
            FlushAfterError(output);
            return Report(cause, e, verbose, cancellation);
        }
    }

    private int Run(ParseResult arguments, ResultWriter output, bool verbose, CancellationToken cancellation)
    {
        var verb = _verbs.FirstOrDefault(v => v.Command == arguments.CommandResult.Command);
        if (verb is not null && arguments.GetValue(_help))
        {
            HelpText.WriteVerb(_root, verb, output);
            return 0;
        }
        if (verb is null && arguments.UnmatchedTokens.Count == 0 && (arguments.GetValue(_help) || arguments.Tokens.Count == 0))
        {
            HelpText.WriteProgram(_root, _verbs, output);
            return 0;
        }
        if (verb is null && arguments.UnmatchedTokens.Count == 0 && arguments.GetValue(_version))
        {
            output.WriteLine(Version);
            return 0;
        }
        if (ArgumentErrors.Find(arguments, _verbs) is { } error) throw error;
        return verb!.Run(arguments, new VerbContext(output, _streams.CreateStatus(), verbose, cancellation)
        {
            Input = _streams.Input,
            InputIsTerminal = _streams.InputIsTerminal,
            Interruption = _interruption,
        });
    }

    /// <summary>The program's version.</summary>
    public static string Version { get; } =
        typeof(MeftProgram).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>What was written before an error still goes out; that this fails too is less than the error itself.</summary>
    private static void FlushAfterError(ResultWriter output)
    {
        try
        {
            output.Flush();
        }
        catch (OutputFailedException)
        {
        }
    }

    private int Report(Exception cause, Exception whole, bool verbose, CancellationToken cancellation)
    {
        var (text, exitCode) = cause switch
        {
            WorkStoppedException stopped => (stopped.Message, stopped.ExitCode),
            OperationCanceledException when cancellation.IsCancellationRequested => ("stopped before the work was done.", 1),
            MeftException known => ($"error: {known.Message}", known.ExitCode),
            OutOfMemoryException => ("error: the memory of this machine is not enough for this run.", 1),
            _ => ($"error: {Unexpected(cause)}", 1),
        };
        _streams.Error.WriteLine(VisibleText.Of(text));
        if (verbose) _streams.Error.WriteLine(whole);
        return exitCode;
    }

    private static string Unexpected(Exception e) =>
        $"failed in a way that was not foreseen: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}. "
        + "Run the same command with --verbose for the details, and report them.";
}
