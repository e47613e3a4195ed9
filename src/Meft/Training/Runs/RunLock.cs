using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Training.Runs;

/// <summary>
/// Held while a process writes into a run folder, so that no second one does: <c>run.lock</c> in the folder. The system lets go of it when the
/// process ends, even killed.
/// </summary>
public sealed class RunLock : IDisposable
{
    /// <summary>The file; there while a run goes on, and left behind by one that was killed.</summary>
    public const string FileName = "run.lock";

    private readonly LockFile _file;

    private RunLock(LockFile file) => _file = file;

    /// <summary>Takes a run folder's lock; makes the folder where it is not there.</summary>
    /// <exception cref="InvalidInputException">Another process holds it.</exception>
    /// <exception cref="RunFailedException">The folder cannot be written.</exception>
    public static RunLock Take(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            Directory.CreateDirectory(folder);
            return new RunLock(LockFile.TryTake(path) ?? throw Held(folder, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"the output folder cannot be written: {e.Message}", folder, null, "change output or its permissions", e);
        }
    }

    /// <summary>Refuses a run folder into which a process writes at this moment; changes nothing.</summary>
    /// <exception cref="InvalidInputException">One does.</exception>
    public static void RequireFree(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            if (LockFile.IsHeld(path)) throw Held(folder, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"the file cannot be read: {e.Message}", path, null, null, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static InvalidInputException Held(string folder, string path) => new(
        $"another process is at work on this run: {LockFile.NameOfHolder(path)}", folder, null,
        "wait until it is done, or end it (it saves and leaves on Ctrl-C or SIGTERM), or choose another output");
}
