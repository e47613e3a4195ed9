using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Meft.Core.Machine;

/// <summary>What the system keeps of files in memory.</summary>
public static partial class PageCache
{
    private const int DontNeed = 4;

    /// <summary>Asks the system to forget what it keeps of a file, so that the next read comes from the disk; false where it cannot be asked.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static bool TryDrop(string path)
    {
        if (!OperatingSystem.IsLinux()) return false;
        using var file = File.OpenHandle(path);
        return Advise(file, 0, 0, DontNeed) == 0;
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
