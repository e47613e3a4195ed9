using System.Diagnostics;
using System.Globalization;

namespace Meft.Core.Machine;

/// <summary>The memory of this process.</summary>
public static class ProcessMemory
{
    /// <summary>The most bytes that were resident at once since the process began.</summary>
    public static long PeakResidentBytes()
    {
        const string field = "VmHWM:";
        if (!OperatingSystem.IsLinux()) return Process.GetCurrentProcess().PeakWorkingSet64;
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal));
        var number = line?[field.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes) ? kibibytes * 1024 : 0;
    }
}
