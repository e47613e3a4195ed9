using System.Text;
using Meft.Cli.CommandLine;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Cli.Views;

/// <summary>Results of one line a row, into a file or onto standard output.</summary>
internal static class ResultLines
{
    /// <summary>Refuses, before anything is read, to write the results over the input.</summary>
    /// <param name="output">What --output names; null for standard output.</param>
    /// <param name="input">What is read.</param>
    /// <param name="option">The option that names it.</param>
    /// <exception cref="InvalidInputException">Both lead to the same file, or the links of one run in a circle.</exception>
    public static void RefuseInput(string? output, string input, string option = "--input")
    {
        if (output is null) return;
        try
        {
            if (!FinalPath.AreSame(output, input)) return;
        }
        catch (IOException e)
        {
            throw new InvalidInputException(e.Message, "--output", "paths that lead to a file", null, e);
        }
        throw new InvalidInputException(
            $"--output {output} is the file of {option}", null, "another file than the input", "Name a new file, or leave --output out");
    }

    /// <summary>Writes lines as they come. A file is complete or not there: what fails or is stopped on the way leaves none.</summary>
    /// <param name="path">The file; null for standard output.</param>
    /// <param name="lines">The lines, without line ends.</param>
    /// <param name="context">Standard output, and when to stop.</param>
    public static void Write(string? path, IEnumerable<string> lines, VerbContext context)
    {
        if (path is null)
        {
            foreach (var line in lines)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                context.Results.Write(line);
                context.Results.Write('\n');
            }
            return;
        }
        AtomicFile.Write(path, stream =>
        {
            foreach (var line in lines)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
            }
        });
    }
}
