using System.Globalization;
using Meft.Core.Errors;

namespace Meft.Core.Planning;

/// <summary>Whether a plan fits, and if not: what is too large, by how much, why, and which settings make it fit.</summary>
public static class PlanFit
{
    private const int NamedCauses = 3;

    /// <summary>Refuses a plan that does not fit.</summary>
    /// <param name="planner">The planner it came from.</param>
    /// <param name="plan">The plan.</param>
    /// <exception cref="InvalidInputException">It does not fit; the text holds the numbers, the causes and the settings to change.</exception>
    public static void Require(RunPlanner planner, RunPlan plan)
    {
        if (Problem(planner, plan) is { } problem) throw problem;
    }

    /// <summary>The error of a plan that does not fit; null for one that does.</summary>
    public static InvalidInputException? Problem(RunPlanner planner, RunPlan plan)
    {
        var (memory, bounds) = (plan.Memory, plan.Bounds);
        var excesses = new List<string>();
        if (bounds.DeviceNeed(memory) > bounds.DeviceBytes)
            excesses.Add(Excess("on the device", bounds.DeviceNeed(memory), bounds.DeviceBytes.Value, bounds.DeviceReason!, Causes(memory, i => i.Tier == MemoryTier.Device)));
        if (memory.ResidentBytes > bounds.HostBytes)
        {
            excesses.Add(Excess(
                "of host memory", memory.ResidentBytes, bounds.HostBytes.Value, bounds.HostReason!,
                Causes(memory, i => i.Tier is MemoryTier.Host or MemoryTier.Pinned or MemoryTier.Program || (i.Tier == MemoryTier.Device && !memory.Accelerator))));
        }
        if (memory.DiskBytes > bounds.DiskBytes)
        {
            excesses.Add(Excess(
                "of disk", memory.DiskBytes, bounds.DiskBytes.Value, $"what is free at {planner.Config.Output}",
                Causes(memory, i => i.Tier == MemoryTier.Disk)));
        }
        if (excesses.Count == 0) return null;
        var advice = PlanAdvice.For(planner, plan);
        return new InvalidInputException(
            $"the run does not fit: {string.Join("; ", excesses)}", null, null,
            advice.Count == 0 ? $"no single setting makes it fit: {Way(bounds)}" : $"any of these makes it fit: {string.Join("; ", advice)}");
    }

    /// <summary>What is left where no setting helps: a budget can be raised, a machine cannot.</summary>
    private static string Way(MemoryBounds bounds)
    {
        var budgets = new[] { bounds.DeviceReason, bounds.HostReason }.Where(r => r?.StartsWith("budget.", StringComparison.Ordinal) == true);
        var raise = string.Join(" and ", budgets);
        return raise.Length > 0 ? $"raise {raise}, or take a smaller model" : "take a smaller model, or another machine";
    }

    private static string Excess(string where, long needed, long allowed, string reason, string causes) =>
        $"it needs {Size(needed)} {where} and {reason} is {Size(allowed)} ({causes})";

    private static string Causes(MemoryPlan memory, Func<MemoryItem, bool> counts) => "most of it " + string.Join(", ", memory.Items
        .Where(counts).OrderByDescending(i => i.Bytes).Take(NamedCauses).Select(i => $"{i.Cause} {Size(i.Bytes)}"));

    /// <summary>Bytes with a binary unit, for a sentence.</summary>
    private static string Size(long bytes)
    {
        var (unit, name) = bytes >= 1L << 30 ? (1L << 30, "GiB") : bytes >= 1L << 20 ? (1L << 20, "MiB") : (1L << 10, "KiB");
        return string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / unit:0.##} {name}");
    }
}
