namespace Meft.Devices.Cuda;

/// <summary>Pinned memory through which numbers pass, and the copy that may still use it.</summary>
internal sealed class StagingBuffer(PinnedMemory memory) : IDisposable
{
    private CudaEvent? _inUse;

    /// <summary>The memory.</summary>
    public PinnedMemory Memory => memory;

    /// <summary>Whether the last copy is through.</summary>
    public bool IsFree => _inUse is null || _inUse.HasCome;

    /// <summary>Says which copy uses the memory: it may be written again when that event has come. The event belongs to this object now.</summary>
    public void UseUntil(CudaEvent done)
    {
        _inUse?.Dispose();
        _inUse = done;
    }

    /// <summary>Returns when the last copy is through.</summary>
    public void WaitUntilFree()
    {
        _inUse?.Synchronize();
        _inUse?.Dispose();
        _inUse = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        WaitUntilFree();
        memory.Dispose();
    }
}
