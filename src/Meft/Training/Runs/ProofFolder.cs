using Meft.Core.Errors;

namespace Meft.Training.Runs;

/// <summary>
/// A new folder beside a run, where there is room for checkpoints as large as the run's, or else among the system's temporary files. It is removed
/// with everything in it.
/// </summary>
internal sealed class ProofFolder : IDisposable
{
    /// <param name="run">The run's folder.</param>
    /// <exception cref="RunFailedException">No folder can be made in either place.</exception>
    public ProofFolder(string run)
    {
        var name = $".{System.IO.Path.GetFileName(run)}-verify-{System.IO.Path.GetRandomFileName()}";
        Exception? first = null;
        foreach (var parent in new[] { System.IO.Path.GetDirectoryName(run) ?? run, System.IO.Path.GetTempPath() })
        {
            try
            {
                Path = Directory.CreateDirectory(System.IO.Path.Combine(parent, name)).FullName;
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                first ??= e;
            }
        }
        throw new RunFailedException($"no folder for the proof can be made: {first!.Message}", run, null, "make the folder above the run writable, or set TMPDIR", first);
    }

    /// <summary>The folder.</summary>
    public string Path { get; } = "";

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What stays is named so that anybody sees what it is.
        }
    }
}
