using Meft.Core.Errors;

namespace Meft.Cli.CommandLine;

/// <summary>Standard output cannot be written to.</summary>
internal sealed class OutputFailedException(IOException cause) : RunFailedException(
    $"standard output cannot be written to: {cause.Message}", null, null,
    "The result is not complete: free some space or send it elsewhere, for example with --output", cause)
{
    private const int UnixBrokenPipe = 32;
    private const int WindowsBrokenPipe = unchecked((int)0x8007006D);
    private const int WindowsNoData = unchecked((int)0x800700E8);

    /// <summary>Whether the program that read the output has left, as <c>head</c> does once it has enough: no error.</summary>
    public bool ReaderHasLeft { get; } = cause.HResult is UnixBrokenPipe or WindowsBrokenPipe or WindowsNoData;
}
