using Meft.Core.Configuration;
using Meft.Core.Machine;
using Meft.Core.Storage;

namespace Meft.Core.Planning;

/// <summary>What a run may use, and who says so.</summary>
/// <param name="DeviceBytes">Most bytes on the device; null where nothing limits them.</param>
/// <param name="DeviceReason">What limits them.</param>
/// <param name="HostBytes">Most bytes resident in host memory; null where nothing limits them.</param>
/// <param name="HostReason">What limits them.</param>
/// <param name="DiskBytes">Free bytes of the output's disk; null where the system does not say.</param>
public sealed record MemoryBounds(long? DeviceBytes, string? DeviceReason, long? HostBytes, string? HostReason, long? DiskBytes)
{
    private const string DeviceBudget = "budget.device";

    /// <summary>Nothing limits anything.</summary>
    public static MemoryBounds None { get; } = new(null, null, null, null, null);

    /// <summary>
    /// Bytes that a plan is held against: what the device holds at most. A budget is guarded by the ledger, which counts a gradient even where it takes
    /// the place of what the backward has freed, so that what it counts must fit too.
    /// </summary>
    public long DeviceNeed(MemoryPlan memory) =>
        DeviceReason == DeviceBudget ? Math.Max(memory.DeviceBytes, memory.CountedDeviceBytes) : memory.DeviceBytes;

    /// <summary>Whether a plan is within all bounds.</summary>
    public bool Allow(MemoryPlan memory) =>
        !(DeviceNeed(memory) > DeviceBytes) && !(memory.ResidentBytes > HostBytes) && !(memory.DiskBytes > DiskBytes);

    /// <summary>The bounds of a config on this machine, now. What the run has written already counts as free: it will be written over.</summary>
    /// <param name="config">The run.</param>
    /// <param name="deviceBytes">All memory of a device of its own; null where the device has none, or it is not known.</param>
    public static MemoryBounds Read(RunConfig config, long? deviceBytes = null)
    {
        var folder = config.Output;
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { Length: > 0 } above) folder = above;
        var free = DiskSpace.Free(folder) + WrittenBytes(config.Output);
        return Of(config.Budget, MemoryLimits.Read(), free, deviceBytes);
    }

    private static long WrittenBytes(string output)
    {
        try
        {
            return Directory.Exists(output)
                ? new DirectoryInfo(output).EnumerateFiles("*.safetensors", SearchOption.AllDirectories).Sum(f => f.Length)
                : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The bounds of a config on a machine: its budgets, the machine's memory, the control group's limit, each the least that holds.</summary>
    /// <param name="budget">The config's <c>budget</c>.</param>
    /// <param name="machine">The machine's limits.</param>
    /// <param name="diskBytes">Free bytes of the output's disk.</param>
    /// <param name="deviceBytes">All memory of a device of its own; null for none.</param>
    public static MemoryBounds Of(BudgetConfig budget, MemoryLimits machine, long? diskBytes, long? deviceBytes = null)
    {
        var (host, reason) = machine switch
        {
            { ControlGroupBytes: { } group } when !(machine.PhysicalBytes < group) => (group, "the control group's limit"),
            { PhysicalBytes: { } physical } => (physical, "the machine's memory"),
            _ => ((long?)null, (string?)null),
        };
        if (budget.HostBytes is { } wanted && !(host < wanted)) (host, reason) = (wanted, "budget.host");
        var (device, deviceReason) = (deviceBytes, deviceBytes is null ? null : "the device's memory");
        if (budget.DeviceBytes is { } most && !(device < most)) (device, deviceReason) = (most, DeviceBudget);
        return new MemoryBounds(device, deviceReason, host, reason, diskBytes);
    }
}
