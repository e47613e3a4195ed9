using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Meft.Core.Storage;

/// <summary>Devices and pipes under a path. .NET does not say what kind a file is, hence the system call. Windows has none under a path.</summary>
internal static partial class SpecialFile
{
    private const int InvalidArgument = 22;

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

    // Only a regular file has a length to set; setting the one it has changes nothing.
    private static bool IsRegular(FileStream stream)
    {
        if (!stream.CanSeek) return false;
        return Truncate(stream.SafeFileHandle, stream.Length) == 0 || Marshal.GetLastPInvokeError() != InvalidArgument;
    }

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Truncate(SafeFileHandle file, long length);
}
