namespace Meft.Native;

/// <summary>
/// Gives the free memory of malloc's heap back to the system where holes have gathered in it. Memory given back has to be taken, page by page, by the next
/// step, which costs more than the step itself where pages are dear; so what a step needs is learned from the first one after each release, and only what
/// grows to twice that is given back again.
/// </summary>
/// <param name="limitBytes">Free bytes that the plan allows for.</param>
/// <param name="free">Free bytes of the heap; null where they cannot be asked.</param>
/// <param name="release">Gives them back.</param>
internal sealed class HeapHoles(long limitBytes, Func<long?> free, Action release)
{
    private bool _released;

    /// <summary>Holes in this process's heap.</summary>
    public HeapHoles(long limitBytes)
        : this(limitBytes, () => HostHeap.Usage()?.Free, HostHeap.Release)
    {
    }

    /// <summary>Free bytes that the heap may hold between two steps.</summary>
    public long LimitBytes { get; private set; } = limitBytes;

    /// <summary>To be called between two steps.</summary>
    public void Close()
    {
        if (free() is not { } bytes) return;
        if (_released) LimitBytes = Math.Max(LimitBytes, 2 * bytes);
        _released = bytes > LimitBytes;
        if (_released) release();
    }
}
