using System.Runtime.InteropServices;
using Meft.Core.Errors;

namespace Meft.Native;

/// <summary>Memory of Linux by itself: zeros that take no physical memory until they are touched, in huge pages where it is large.</summary>
internal static unsafe class AnonymousMemory
{
    /// <summary>Bytes of a huge page.</summary>
    public const long HugePageBytes = 2 << 20;

    private const int ProtectReadWrite = 3, MapPrivateAnonymous = 0x22, AdviseHugePage = 14;

    /// <summary>Takes memory.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="nextStep">What the user can do where there is not so much.</param>
    /// <exception cref="RunFailedException">The system refuses.</exception>
    public static nint Map(long bytes, string nextStep)
    {
        var address = Map(null, (nuint)bytes, ProtectReadWrite, MapPrivateAnonymous, -1, 0);
        if (address == (void*)-1) throw new RunFailedException($"the system refuses {bytes:N0} bytes of host memory", null, null, nextStep);
        if (bytes >= HugePageBytes) PreferHugePages((nint)address, bytes);
        return (nint)address;
    }

    /// <summary>Gives it back.</summary>
    public static void Unmap(nint address, long bytes) => _ = Unmap((void*)address, (nuint)bytes);

    /// <summary>Asks for huge pages behind whole pages of this process; a wish, not a need.</summary>
    public static void PreferHugePages(nint address, long bytes) => _ = Advise((void*)address, (nuint)bytes, AdviseHugePage);

    [DllImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Unmap(void* address, nuint length);

    [DllImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(void* address, nuint length, int advice);
}
