namespace Meft.Core.Storage;

/// <summary>How much room a disk has.</summary>
public static class DiskSpace
{
    private const int UnixNoSpace = 28;
    private const int LinuxQuota = 122;
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>The bytes this user may still write to the disk that holds a folder; null where the system does not say.</summary>
    public static long? Free(string folder)
    {
        try
        {
            var drive = new DriveInfo(OperatingSystem.IsWindows() ? System.IO.Path.GetPathRoot(folder)! : folder);
            // Some network file systems report nothing but zeros.
            return drive.TotalSize == 0 ? null : drive.AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Whether an exception says that the disk, or the user's share of it, is full.</summary>
    public static bool IsExhausted(IOException exception) =>
        exception.HResult is UnixNoSpace or LinuxQuota or WindowsHandleDiskFull or WindowsDiskFull;
}
