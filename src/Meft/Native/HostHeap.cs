using System.Runtime.InteropServices;

namespace Meft.Native;

/// <summary>
/// The heap of glibc's malloc, in which libtorch's tensors on the CPU live. Left alone it grows with every micro-batch of another length: blocks of
/// long life come to lie between those of one step, and what is freed between them fits nothing. Elsewhere than on Linux with glibc all of this
/// does nothing.
/// </summary>
internal static class HostHeap
{
    private const int TrimThreshold = -1, MappedThreshold = -3;
    private static bool? _known;
    private static long _mappedFrom;

    /// <summary>Bytes that the heap and mapped blocks have in use, and those the heap holds free; null where that cannot be asked.</summary>
    public static (long InUse, long Free)? Usage()
    {
        if (!IsKnown()) return null;
        var info = Information();
        return ((long)(info.InUse + info.Mapped), (long)info.Free);
    }

    /// <summary>Fixes the size from which blocks are mapped by themselves, and returned to the system when they are freed. glibc would raise it as it goes.</summary>
    /// <param name="bytes">The size; at most 32 MiB.</param>
    public static void MapBlocksFrom(long bytes)
    {
        var before = Interlocked.Exchange(ref _mappedFrom, bytes);
        if (before == bytes || !IsKnown()) return;
        _ = SetOption(MappedThreshold, (int)bytes);
        // Setting the one stops glibc from adapting the other, whose first value is so small that every step would take its memory anew.
        _ = SetOption(TrimThreshold, (int)(16 * bytes));
        // What was kept for large blocks is of no use to what comes now.
        if (bytes < before) Release();
    }

    /// <summary>Gives the heap's free memory back to the system.</summary>
    public static void Release()
    {
        if (IsKnown()) _ = Trim(0);
    }

    private static bool IsKnown() => _known ??=
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var libc) && NativeLibrary.TryGetExport(libc, "mallinfo2", out _);

    /// <summary>glibc's <c>struct mallinfo2</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MallocInformation
    {
        public readonly nuint Arena, FreeChunks, FastChunks, MappedChunks, Mapped, Unused, FastFree, InUse, Free, Releasable;
    }

    [DllImport("libc.so.6", EntryPoint = "mallinfo2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern MallocInformation Information();

    [DllImport("libc.so.6", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetOption(int option, int value);

    [DllImport("libc.so.6", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Trim(nuint keepAtTop);
}
