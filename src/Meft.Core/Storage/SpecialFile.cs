using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Meft.Core.Storage;

/// <summary>Devices and pipes under a path. .NET does not say what kind a file is, hence the system call. Windows has none under a path.</summary>
internal static partial class SpecialFile
{
    // The numbers of Linux.
    private const int InvalidArgument = 22, IllegalSeek = 29, ReadOnly = 0, NonBlocking = 0x800, CloseOnExec = 0x80000, SeekCurrent = 1;

    /// <summary>Opens what a path leads to for writing if it is there and is neither a regular file nor a folder; else null.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static FileStream? Open(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path)) return null;
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (FileNotFoundException)
        {
            // A link to what is not there yet.
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            // A regular file that is read-only may still be replaced; a device's folder lets nobody else do so.
            return null;
        }
        if (!IsRegular(stream)) return stream;
        stream.Dispose();
        return null;
    }

    /// <summary>Whether a path leads to a pipe, a socket or a terminal: it can be read once and has no end until somebody closes it. False where it cannot be told.</summary>
    public static bool IsStream(string path)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(path)) return false;
        // Without waiting: opening a pipe that nobody writes to would.
        var file = Open(path, ReadOnly | NonBlocking | CloseOnExec);
        if (file < 0) return false;
        var isStream = Seek(file, 0, SeekCurrent) < 0 && Marshal.GetLastPInvokeError() == IllegalSeek;
        _ = Close(file);
        return isStream;
    }

    // Only a regular file has a length to set; setting the one it has changes nothing.
    private static bool IsRegular(FileStream stream)
    {
        if (!stream.CanSeek) return false;
        return Truncate(stream.SafeFileHandle, stream.Length) == 0 || Marshal.GetLastPInvokeError() != InvalidArgument;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial long Seek(int file, long offset, int from);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Truncate(SafeFileHandle file, long length);
}
