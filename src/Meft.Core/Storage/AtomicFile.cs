using System.Text;
using Meft.Core.Errors;

namespace Meft.Core.Storage;

/// <summary>
/// Writes files that are either complete or not there: into a temporary file of the same folder, flushed to disk, then renamed
/// over the target. Whatever fails before the rename, what stood at the target stays, and the temporary file is removed. A link is
/// followed: it stays, and what it leads to is replaced. A device or a pipe is written to as it is, for it cannot be replaced.
/// </summary>
public static class AtomicFile
{
    private const int BufferBytes = 1 << 16;
    private const string TemporaryStart = ".meft-", TemporaryEnd = ".tmp";

    /// <summary>Whether a path is that of a temporary file as they are made here. One that lies there unasked was left by a process that was killed.</summary>
    public static bool IsTemporary(string path) =>
        Path.GetFileName(path) is var name && name.StartsWith(TemporaryStart, StringComparison.Ordinal) && name.EndsWith(TemporaryEnd, StringComparison.Ordinal);

    /// <summary>Writes a file.</summary>
    /// <param name="path">The target; its folder must exist.</param>
    /// <param name="write">Writes the content; an exception of its own comes out unchanged unless it is of input and output.</param>
    /// <param name="expectedBytes">The content's length where it is known: a disk too small for it is then refused beforehand.</param>
    /// <exception cref="DiskFullException">The disk is full.</exception>
    /// <exception cref="RunFailedException">The file cannot be written for another reason.</exception>
    public static void Write(string path, Action<Stream> write, long? expectedBytes = null)
    {
        var fullPath = Resolve(path);
        if (WriteToDevice(path, write)) return;
        var folder = Path.GetDirectoryName(fullPath) ?? throw new RunFailedException("a file cannot be written here", fullPath);
        if (expectedBytes is { } wanted && DiskSpace.Free(folder) is { } free && wanted > free)
            throw new DiskFullException(fullPath, wanted, wantedIsExact: true, free);
        // A short name of its own: the target's name may be as long as the file system allows.
        var temporary = Path.Combine(folder, $"{TemporaryStart}{Path.GetRandomFileName()}{TemporaryEnd}");
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
            if (e is IOException or UnauthorizedAccessException) throw Failure(fullPath, e);
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

    /// <summary>Writes to a target that exists and is no regular file; false, with nothing written, if it is none.</summary>
    private static bool WriteToDevice(string path, Action<Stream> write)
    {
        var fullPath = Path.GetFullPath(path);
        try
        {
            using var device = SpecialFile.Open(fullPath);
            if (device is null) return false;
            write(device);
            device.Flush();
            return true;
        }
        catch (IOException e) when (DiskSpace.IsExhausted(e))
        {
            throw new RunFailedException("there is no room left on the device", fullPath, null, "Choose another target", e);
        }
        catch (IOException e)
        {
            throw Failure(fullPath, e);
        }
    }

    private static string Resolve(string path)
    {
        try
        {
            return FinalPath.Of(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure(path, e);
        }
    }

    private static RunFailedException Failure(string path, Exception e) => new(
        $"the file cannot be written: {e.Message}", path, nextStep: "Check that the folder exists and may be written to", cause: e);

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
