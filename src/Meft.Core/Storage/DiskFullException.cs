using Meft.Core.Errors;

namespace Meft.Core.Storage;

/// <summary>A file could not be written for lack of space. What stood there before is untouched.</summary>
public sealed class DiskFullException(string path, long wantedBytes, bool wantedIsExact, long? freeBytes, Exception? cause = null)
    : RunFailedException(
        "the disk is full: the file needs " + (wantedIsExact ? "" : "more than ") + $"{wantedBytes} bytes, "
        + (freeBytes is null ? "how many are free is unknown" : $"{freeBytes} are free"),
        path,
        null,
        "Nothing was changed; free some space or choose another folder",
        cause)
{
    /// <summary>The file that was to be written.</summary>
    public string File { get; } = path;

    /// <summary>The bytes the file takes; where that was not known beforehand, the bytes it had taken when the disk was full.</summary>
    public long WantedBytes { get; } = wantedBytes;

    /// <summary>The bytes free for this user on the file's disk after the temporary file was removed; null if unknown.</summary>
    public long? FreeBytes { get; } = freeBytes;
}
