using Spectre.Console;

namespace Meft.Cli.CommandLine;

/// <summary>What a verb may write to, and when it should stop.</summary>
/// <param name="Results">Standard output: the verb's result and nothing else.</param>
/// <param name="Status">Standard error, to draw on: progress and remarks. Off a terminal it has neither colour nor redrawing.</param>
/// <param name="Verbose">Whether the user asked for details.</param>
/// <param name="Cancellation">Set by Ctrl-C: save, then leave.</param>
internal sealed record VerbContext(TextWriter Results, IAnsiConsole Status, bool Verbose, CancellationToken Cancellation)
{
    /// <summary>Standard input.</summary>
    public TextReader Input { get; init; } = TextReader.Null;

    /// <summary>Whether someone types the input.</summary>
    public bool InputIsTerminal { get; init; }

    /// <summary>What takes Ctrl-C, for a verb that has its own use for it; null where nothing does.</summary>
    public Interruption? Interruption { get; init; }
}
