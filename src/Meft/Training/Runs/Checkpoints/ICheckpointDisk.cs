using Meft.Core.Errors;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>What writing checkpoints asks of a disk.</summary>
internal interface ICheckpointDisk
{
    /// <summary>The bytes that may still be written where a folder is; null where the system does not say.</summary>
    long? FreeBytes(string folder);

    /// <summary>Makes a folder, with those above it, unless it is there.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    void CreateFolder(string folder);

    /// <summary>Writes a file that is either complete, and on the disk, or not there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="write">Writes it, from its beginning to its end.</param>
    /// <exception cref="RunFailedException">It cannot be written, for example because the disk is full.</exception>
    void Write(string path, long bytes, Action<Stream> write);

    /// <summary>Sees to it that a folder's entries are on the disk.</summary>
    /// <exception cref="IOException">That failed.</exception>
    void Flush(string folder);

    /// <summary>Removes a file; one that is not there is none to remove.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be removed.</exception>
    void RemoveFile(string path);

    /// <summary>Removes a folder with all that is in it.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be removed.</exception>
    void RemoveFolder(string folder);
}
