using System.Diagnostics;
using System.Globalization;

namespace Meft.Core.Machine;

/// <summary>The memory of this process.</summary>
public static class ProcessMemory
{
    private const string StatusFile = "/proc/self/status", ResetFile = "/proc/self/clear_refs", ResetPeak = "5";

    /// <summary>The most bytes that were resident at once since the process began, or since <see cref="TryResetPeak"/>.</summary>
    public static long PeakResidentBytes() => OperatingSystem.IsLinux() ? Field(File.ReadAllText(StatusFile), "VmHWM:") : Process.GetCurrentProcess().PeakWorkingSet64;

    /// <summary>
    /// Bytes that are resident now: in all, and those of them that belong to this process alone, where pages of mapped files do not; null where the system does not say.
    /// </summary>
    public static (long Resident, long Anonymous)? Use()
    {
        if (!OperatingSystem.IsLinux()) return null;
        var status = File.ReadAllText(StatusFile);
        return (Field(status, "VmRSS:"), Field(status, "RssAnon:"));
    }

    /// <summary>Lets the peak begin anew at what is resident now; false where the system cannot.</summary>
    public static bool TryResetPeak()
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            File.WriteAllText(ResetFile, ResetPeak);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static long Field(string status, string field)
    {
        var line = status.Split('\n').FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal));
        var number = line?[field.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes) ? kibibytes * 1024 : 0;
    }
}
