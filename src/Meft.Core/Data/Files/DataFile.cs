using Meft.Core.Errors;

namespace Meft.Core.Data.Files;

/// <summary>Opens data files; every error names the file.</summary>
internal static class DataFile
{
    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    /// <summary>The file as bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="skipMark">Whether to begin after a UTF-8 byte order mark.</param>
    /// <exception cref="InvalidInputException">It is missing, a folder, or cannot be read.</exception>
    public static FileStream Open(string path, bool skipMark = false)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
            if (!skipMark) return stream;
            Span<byte> first = stackalloc byte[3];
            if (stream.ReadAtLeast(first, 3, throwOnEndOfStream: false) < 3 || !first.SequenceEqual(Utf8Mark)) stream.Position = 0;
            return stream;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidInputException("the data file does not exist", path, null, "Correct the path", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            stream?.Dispose();
            throw Directory.Exists(path) ? new InvalidInputException("is a folder, not a data file", path, null, null, e) : Unreadable(path, e);
        }
    }

    /// <summary>The error of a file whose bytes cannot be had.</summary>
    public static InvalidInputException Unreadable(string path, Exception cause) =>
        new($"the data file cannot be read: {cause.Message}", path, null, null, cause);
}
