namespace Meft.Memory;

/// <summary>Device memory counted as held until disposed, once.</summary>
public sealed class HeldBytes : IDisposable
{
    private readonly MemoryLedger _ledger;
    private readonly DeviceUse _use;
    private long _bytes;

    internal HeldBytes(MemoryLedger ledger, DeviceUse use, long bytes) => (_ledger, _use, _bytes) = (ledger, use, bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ledger.Release(_use, _bytes);
        _bytes = 0;
    }
}
