using System.Globalization;

namespace Meft.Core.Machine;

/// <summary>How much host memory a process may use; null where the system does not say.</summary>
/// <param name="PhysicalBytes">Memory of the machine.</param>
/// <param name="AvailableBytes">Memory that is free or can be freed at once.</param>
/// <param name="ControlGroupBytes">The limit of the process's control group, or of one above it; null for none.</param>
/// <param name="ControlGroupVersion">1 or 2 where a limit was found.</param>
public sealed record MemoryLimits(long? PhysicalBytes, long? AvailableBytes, long? ControlGroupBytes, int? ControlGroupVersion)
{
    /// <summary>The least of the physical memory and the control group's limit.</summary>
    public long? UsableBytes => PhysicalBytes is { } physical && ControlGroupBytes is { } limit
        ? Math.Min(physical, limit)
        : PhysicalBytes ?? ControlGroupBytes;

    /// <summary>Reads the limits of this process.</summary>
    public static MemoryLimits Read()
    {
        if (OperatingSystem.IsLinux()) return Read("/");
        return new MemoryLimits(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, null, null, null);
    }

    /// <summary>Reads the limits from a tree that looks like Linux's.</summary>
    /// <param name="root">The folder that holds <c>proc</c> and <c>sys</c>.</param>
    internal static MemoryLimits Read(string root)
    {
        var (version2, version1) = GroupPaths(Path.Combine(root, "proc/self/cgroup"));
        var groups = Path.Combine(root, "sys/fs/cgroup");
        var two = LeastLimit(groups, version2, "memory.max");
        var one = LeastLimit(Path.Combine(groups, "memory"), version1, "memory.limit_in_bytes");
        var memory = Path.Combine(root, "proc/meminfo");
        var (limit, version) = two is null || one < two ? (one, 1) : (two, 2);
        return new MemoryLimits(MemoryInfo(memory, "MemTotal:"), MemoryInfo(memory, "MemAvailable:"), limit, limit is null ? null : version);
    }

    /// <summary>The process's groups: the unified hierarchy (version 2) and the memory controller's own (version 1).</summary>
    private static (string? Version2, string? Version1) GroupPaths(string file)
    {
        string? version2 = null, version1 = null;
        foreach (var line in Lines(file))
        {
            // A line is hierarchy:controllers:path; the unified hierarchy is 0 and names no controllers.
            if (line.Split(':', 3) is not [var hierarchy, var controllers, var path]) continue;
            if (hierarchy == "0" && controllers.Length == 0) version2 = path;
            else if (controllers.Split(',').Contains("memory")) version1 = path;
        }
        return (version2, version1);
    }

    /// <summary>The least limit of a group and those above it. Inside a container the path may not exist: then the mount's own counts.</summary>
    private static long? LeastLimit(string mount, string? group, string name)
    {
        if (group is null) return null;
        long? least = null;
        for (var path = group.Trim('/'); ; path = Path.GetDirectoryName(path) ?? "")
        {
            var text = Lines(Path.Combine(mount, path, name)).FirstOrDefault();
            // Version 1 writes "no limit" as the largest number of pages, just below 2^63.
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes < 1L << 60 && !(bytes >= least))
                least = bytes;
            if (path.Length == 0) return least;
        }
    }

    private static long? MemoryInfo(string file, string field)
    {
        var words = Lines(file).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).FirstOrDefault(w => w.Length >= 2 && w[0] == field);
        return words is not null && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes) ? kibibytes << 10 : null;
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
