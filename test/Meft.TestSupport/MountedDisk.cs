using System.Diagnostics;

namespace Meft.TestSupport;

/// <summary>A small disk in memory, mounted in a folder: what it refuses, the system refuses. It is unmounted when disposed.</summary>
public sealed class MountedDisk : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <param name="bytes">Its size; the system rounds it up to pages.</param>
    private MountedDisk(long bytes) => Reason = Run("mount", "-t", "tmpfs", "-o", $"size={bytes}", "meft-test", _folder.Path);

    /// <summary>The folder where it is mounted.</summary>
    public string Path => _folder.Path;

    /// <summary>Why it could not be mounted; null where it was.</summary>
    private string? Reason { get; }

    /// <summary>A new disk, or why this process may not have one.</summary>
    public static MountedDisk? TryMount(long bytes, out string reason)
    {
        reason = "only Linux mounts file systems like this";
        if (!OperatingSystem.IsLinux()) return null;
        var disk = new MountedDisk(bytes);
        if (disk.Reason is null) return disk;
        reason = $"this process may not mount a file system: {disk.Reason}";
        disk._folder.Dispose();
        return null;
    }

    /// <summary>From now on nothing can be written.</summary>
    public void MakeReadOnly()
    {
        if (Run("mount", "-o", "remount,ro", Path) is { } problem) throw new InvalidOperationException(problem);
    }

    public void Dispose()
    {
        if (Run("umount", Path) is { } problem) throw new InvalidOperationException(problem);
        _folder.Dispose();
    }

    /// <summary>Null where the program ends well, else what it says.</summary>
    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim() is { Length: > 0 } said ? said : $"{program} ends with {process.ExitCode}";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    }
}
