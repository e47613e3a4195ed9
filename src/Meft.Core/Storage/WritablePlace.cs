using Meft.Core.Errors;

namespace Meft.Core.Storage;

/// <summary>Finds out whether a folder can be written, before work begins whose result would have no place.</summary>
public static class WritablePlace
{
    /// <summary>Makes and removes an empty file in a folder or, where that is not there yet, in the nearest one above it.</summary>
    /// <param name="folder">The folder that shall be written.</param>
    /// <param name="what">What it is to be called in the error.</param>
    /// <param name="nextStep">What the error proposes.</param>
    /// <exception cref="InvalidInputException">It cannot be written.</exception>
    public static void Require(string folder, string what, string nextStep)
    {
        var existing = Path.GetFullPath(folder);
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent) existing = parent;
        try
        {
            new FileStream(
                Path.Combine(existing, $".meft-{Path.GetRandomFileName()}.tmp"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{what} cannot be written: no file can be made in {existing} ({e.Message.TrimEnd('.')})", folder, "a folder that this user may write to", nextStep, e);
        }
    }
}
