using System.Text;
using Meft.Core.Errors;

namespace Meft.Core.Storage;

/// <summary>
/// Writes files that are either complete or not there: into a temporary file of the same folder, flushed to disk, then renamed
/// over the target. Whatever fails before the rename, what stood at the target stays, and the temporary file is removed.
/// </summary>
public static class AtomicFile
{
    private const int BufferBytes = 1 << 16;

    /// <summary>Writes a file.</summary>
    /// <param name="path">The target; its folder must exist.</param>
    /// <param name="write">Writes the content; an exception of its own comes out unchanged unless it is of input and output.</param>
    /// <param name="expectedBytes">The content's length where it is known: a disk too small for it is then refused beforehand.</param>
    /// <exception cref="DiskFullException">The disk is full.</exception>
    /// <exception cref="RunFailedException">The file cannot be written for another reason.</exception>
    public static void Write(string path, Action<Stream> write, long? expectedBytes = null)
    {
        var fullPath = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(fullPath) ?? throw new RunFailedException("a file cannot be written here", fullPath);
        if (expectedBytes is { } wanted && DiskSpace.Free(folder) is { } free && wanted > free)
            throw new DiskFullException(fullPath, wanted, wantedIsExact: true, free);
        // A short name of its own: the target's name may be as long as the file system allows.
        var temporary = Path.Combine(folder, $".meft-{Path.GetRandomFileName()}.tmp");
        long written = 0;
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, BufferBytes))
            {
                try
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }
                finally
                {
                    written = stream.Position;
                }
            }
            File.Move(temporary, fullPath, overwrite: true);
            FolderFlush.Flush(folder);
        }
        catch (Exception e)
        {
            Remove(temporary);
            if (e is IOException io && DiskSpace.IsExhausted(io))
            {
                throw new DiskFullException(
                    fullPath, Math.Max(expectedBytes ?? 0, written), expectedBytes is not null, DiskSpace.Free(folder), e);
            }
            if (e is IOException or UnauthorizedAccessException)
            {
                throw new RunFailedException(
                    $"the file cannot be written: {e.Message}", fullPath,
                    nextStep: "Check that the folder exists and may be written to", cause: e);
            }
            throw;
        }
    }

    /// <summary>Writes a text file, as UTF-8 without a byte order mark.</summary>
    /// <exception cref="RunFailedException">As <see cref="Write"/>.</exception>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes a file from memory.</summary>
    /// <exception cref="RunFailedException">As <see cref="Write"/>.</exception>
    public static void WriteAllBytes(string path, ReadOnlyMemory<byte> bytes) =>
        Write(path, stream => stream.Write(bytes.Span), bytes.Length);

    // Nothing here may hide the failure that led here.
    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
