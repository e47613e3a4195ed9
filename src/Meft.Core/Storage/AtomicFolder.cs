using Meft.Core.Errors;

namespace Meft.Core.Storage;

/// <summary>
/// Writes folders that are either complete or not there: into a temporary folder beside the target, then renamed. Whatever fails before
/// the rename, nothing stands at the target, and the temporary folder is removed.
/// </summary>
public static class AtomicFolder
{
    /// <summary>Refuses a target that is there already, unless it is an empty folder; changes nothing.</summary>
    /// <exception cref="InvalidInputException">Something is there.</exception>
    public static void RequireFree(string path)
    {
        if (File.Exists(path)) throw new InvalidInputException("the output is a file, not a folder", path, "a folder that need not exist yet", "name another");
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            throw new InvalidInputException("the output folder exists and is not empty", path, "a new or empty folder", "name another, or remove it");
    }

    /// <summary>Writes a folder.</summary>
    /// <param name="path">The target; its parent is made where it is not there.</param>
    /// <param name="write">Is given a folder to write into; an exception of its own comes out unchanged unless it is of input and output.</param>
    /// <exception cref="InvalidInputException">As <see cref="RequireFree"/>.</exception>
    /// <exception cref="RunFailedException">The folder cannot be written.</exception>
    public static void Write(string path, Action<string> write)
    {
        RequireFree(path);
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var parent = Path.GetDirectoryName(target) ?? throw new RunFailedException("a folder cannot be written here", target);
        var temporary = Path.Combine(parent, $".meft-{Path.GetRandomFileName()}.tmp");
        try
        {
            Directory.CreateDirectory(temporary);
            write(temporary);
            if (Directory.Exists(target)) Directory.Delete(target); // it is empty: a rename does not replace it
            Directory.Move(temporary, target);
            FolderFlush.Flush(parent);
        }
        catch (Exception e)
        {
            Remove(temporary);
            if (e is not (IOException or UnauthorizedAccessException)) throw;
            throw new RunFailedException(
                $"the folder cannot be written: {e.Message}", target, null, "check that there is room and that its parent may be written to", e);
        }
    }

    // Nothing here may hide the failure that led here.
    private static void Remove(string temporary)
    {
        try
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
