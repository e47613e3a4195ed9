using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Meft.Core.Machine;

/// <summary>The machine's processor.</summary>
/// <param name="Name">Its name, or its architecture where the system gives no name.</param>
/// <param name="LogicalCores">Cores that this process may use, those of hyper-threading counted.</param>
/// <param name="PhysicalCores">Cores of the machine without hyper-threading; null where the system does not say.</param>
/// <param name="VectorBits">The widest vectors that .NET computes in hardware: 512, 256, 128, or 0.</param>
public sealed record ProcessorInfo(string Name, int LogicalCores, int? PhysicalCores, int VectorBits)
{
    /// <summary>Reads what the system says.</summary>
    public static ProcessorInfo Read()
    {
        var (name, cores) = OperatingSystem.IsLinux() ? Parse(Lines("/proc/cpuinfo")) : (null, null);
        return new ProcessorInfo(name ?? RuntimeInformation.ProcessArchitecture.ToString(), Environment.ProcessorCount, cores, WidestVector());
    }

    /// <summary>The name and the number of physical cores in the text of Linux's <c>/proc/cpuinfo</c>.</summary>
    internal static (string? Name, int? PhysicalCores) Parse(IEnumerable<string> lines)
    {
        string? name = null, package = null;
        var cores = new HashSet<(string?, string)>();
        foreach (var line in lines)
        {
            if (line.Split(':', 2, StringSplitOptions.TrimEntries) is not [var field, var value]) continue;
            if (field == "model name") name ??= value;
            else if (field == "physical id") package = value;
            else if (field == "core id") cores.Add((package, value));
        }
        return (name, cores.Count == 0 ? null : cores.Count);
    }

    private static int WidestVector() =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

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
