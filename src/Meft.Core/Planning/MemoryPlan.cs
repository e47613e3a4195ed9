namespace Meft.Core.Planning;

/// <summary>Where bytes lie.</summary>
public enum MemoryTier
{
    /// <summary>On the device that computes the base; on the CPU that is the process itself.</summary>
    Device,

    /// <summary>Page-locked host memory, from which a card copies directly.</summary>
    Pinned,

    /// <summary>Host memory.</summary>
    Host,

    /// <summary>Host memory of the program itself: code, runtime, libraries, and what their allocators hold back.</summary>
    Program,

    /// <summary>On disk.</summary>
    Disk,
}

/// <summary>What a cause takes.</summary>
/// <param name="Tier">Where.</param>
/// <param name="Cause">What for.</param>
/// <param name="Bytes">How much, at the moment when most is taken.</param>
/// <param name="CountedBytes">
/// How much of it the run's ledger counts as device memory: it leaves out temporaries of libtorch's operations.
/// </param>
public sealed record MemoryItem(MemoryTier Tier, string Cause, long Bytes, long CountedBytes);

/// <summary>The memory of a run, by tier and cause.</summary>
/// <param name="Items">The causes; none is zero.</param>
/// <param name="Accelerator">Whether the device is not the CPU.</param>
/// <param name="LoadBytes">The most that is resident while the base is read: the program, the weights that stay in host memory, the largest tensor.</param>
/// <param name="HeapLimitBytes">Free bytes that malloc's heap may hold between two steps; more than that go back to the system.</param>
public sealed record MemoryPlan(IReadOnlyList<MemoryItem> Items, bool Accelerator, long LoadBytes, long HeapLimitBytes)
{
    /// <summary>Bytes on the device.</summary>
    public long DeviceBytes => Of(MemoryTier.Device);

    /// <summary>Bytes on the device as the ledger counts them.</summary>
    public long CountedDeviceBytes => Items.Where(i => i.Tier == MemoryTier.Device).Sum(i => i.CountedBytes);

    /// <summary>Bytes on disk.</summary>
    public long DiskBytes => Of(MemoryTier.Disk);

    /// <summary>
    /// Bytes that the process has resident at its peak: host, pinned and program memory, and the device's too where the device is the CPU.
    /// </summary>
    public long ResidentBytes =>
        Math.Max(LoadBytes, Of(MemoryTier.Host) + Of(MemoryTier.Pinned) + Of(MemoryTier.Program) + (Accelerator ? 0 : DeviceBytes));

    /// <summary>Bytes of a tier.</summary>
    public long Of(MemoryTier tier) => Items.Where(i => i.Tier == tier).Sum(i => i.Bytes);
}
