using Meft.Core.Storage;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>The disk itself.</summary>
internal sealed class CheckpointDisk : ICheckpointDisk
{
    /// <inheritdoc/>
    public long? FreeBytes(string folder) => DiskSpace.Free(folder);

    /// <inheritdoc/>
    public void CreateFolder(string folder) => Directory.CreateDirectory(folder);

    /// <inheritdoc/>
    public void Write(string path, long bytes, Action<Stream> write) => AtomicFile.Write(path, write, bytes);

    /// <inheritdoc/>
    public void Flush(string folder) => FolderFlush.Flush(folder);

    /// <inheritdoc/>
    public void RemoveFile(string path)
    {
        if (File.Exists(path)) File.Delete(path);
    }

    /// <inheritdoc/>
    public void RemoveFolder(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
