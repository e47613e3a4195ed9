using System.Runtime.InteropServices;

namespace Meft.Core.Storage;

/// <summary>
/// Makes a rename survive a power cut: on Unix an entry of a folder is on disk only after the folder itself was flushed. .NET
/// opens no folders, hence the system calls. Windows has no such call and needs none.
/// </summary>
public static partial class FolderFlush
{
    private const int Interrupted = 4;
    private const int InvalidArgument = 22;

    /// <summary>Flushes a folder's entries to disk.</summary>
    /// <exception cref="IOException">The folder cannot be opened, or flushing failed.</exception>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Retry(() => Open(folder, 0, 0));
        if (descriptor < 0) throw Failure("open", folder);
        try
        {
            // Some file systems cannot flush a folder and say that the argument is invalid: nothing more can be done there.
            if (Retry(() => Fsync(descriptor)) < 0 && Marshal.GetLastPInvokeError() != InvalidArgument) throw Failure("flush", folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static int Retry(Func<int> call)
    {
        int result;
        do result = call();
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return result;
    }

    private static IOException Failure(string what, string folder)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"cannot {what} the folder '{folder}': {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
