using System.Text;
using Meft.Cli.CommandLine;
using Meft.Core.Storage;

namespace Meft.Cli.Views;

/// <summary>Results of one line a row, into a file or onto standard output.</summary>
internal static class ResultLines
{
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
