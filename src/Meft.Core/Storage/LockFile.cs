using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Meft.Core.Storage;

/// <summary>
/// A file that one holder at a time has. The system lets go of it when the process ends, however it ends: a file that lies there and is not held
/// locks nothing. It says who holds it, and is removed when it is given back.
/// </summary>
public sealed partial class LockFile : IDisposable
{
    private const int LinuxWouldBlock = 11, MacWouldBlock = 35;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private readonly string _path;
    private readonly FileStream _file;

    private LockFile(string path, FileStream file) => (_path, _file) = (path, file);

    /// <summary>Takes the lock.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="holder">Who takes it, one line for others to read.</param>
    /// <returns>The lock; null where somebody holds it.</returns>
    /// <exception cref="IOException">The file cannot be made or written.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static LockFile? TryTake(string path, string holder)
    {
        while (true)
        {
            if (TryOpen(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None) is not { } file) return null;
            // Between our opening the file and locking it, its last holder may have removed it: then the lock is on a file that nobody finds any more.
            var content = $"{holder}\n{Guid.NewGuid():N}\n";
            try
            {
                file.SetLength(0);
                file.Write(Encoding.UTF8.GetBytes(content));
                if (OperatingSystem.IsWindows() || Read(path) == content) return new LockFile(path, file);
                file.Dispose();
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
    }

    /// <summary>Whether somebody holds the lock at this moment.</summary>
    /// <exception cref="IOException">That cannot be found out.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static bool IsHeld(string path)
    {
        try
        {
            using var file = TryOpen(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return file is null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Takes the lock for this process, which names itself.</summary>
    /// <param name="path">As in <see cref="TryTake(string, string)"/>.</param>
    public static LockFile? TryTake(string path) => TryTake(path, $"process {Environment.ProcessId} on {Environment.MachineName}");

    /// <summary>The holder as an error names it.</summary>
    public static string NameOfHolder(string path) => HolderOf(path) ?? "which one is not known";

    /// <summary>What the holder said of itself; null where it said nothing that could be read.</summary>
    public static string? HolderOf(string path) =>
        OperatingSystem.IsWindows() || Read(path)?.Split('\n')[0] is not { Length: > 0 } holder ? null : holder;

    /// <summary>Gives the lock back.</summary>
    public void Dispose()
    {
        try
        {
            // While it is still held: a file removed afterwards could be another's.
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An unlocked file that stays is harmless.
        }
        _file.Dispose();
    }

    private static FileStream? TryOpen(string path, FileMode mode, FileAccess access, FileShare share)
    {
        try
        {
            return new FileStream(path, mode, access, share, bufferSize: 0);
        }
        catch (IOException e) when (e.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            return null;
        }
    }

    /// <summary>The content, locked or not: .NET itself opens no file that another holds alone, though on Unix it may be read. Null where it is not there.</summary>
    private static string? Read(string path)
    {
        var descriptor = Open(path, 0, 0);
        if (descriptor < 0) return null;
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        using var text = new StreamReader(new FileStream(handle, FileAccess.Read, bufferSize: 0));
        return text.ReadToEnd();
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags, int mode);
}
