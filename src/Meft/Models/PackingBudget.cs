namespace Meft.Models;

/// <summary>How many bytes of packed copies a model's weights may have; shared by all of its <see cref="PackedLinear"/>.</summary>
internal sealed class PackingBudget
{
    private long _taken;

    /// <summary>The most bytes; 0 until somebody allows more. First come, first served.</summary>
    public long Limit { get; set; }

    /// <summary>Takes bytes where they are left.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= Limit) return true;
        GiveBack(bytes);
        return false;
    }

    /// <summary>Returns bytes that were taken.</summary>
    public void GiveBack(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
