namespace Meft.Core.Formats;

/// <summary>
/// How far ahead of its readers a file has been asked for. Several threads may read at once: what is asked for twice costs a little, and what is asked for in vain costs
/// a read, so between threads nothing is exact.
/// </summary>
/// <param name="length">The file's length in bytes.</param>
internal sealed class ReadAheadWindow(long length)
{
    /// <summary>How far ahead of what is read the disk is asked.</summary>
    public const long Bytes = 16 << 20;

    private long _asked;

    /// <summary>What is to be asked for before a range is read.</summary>
    /// <param name="offset">The range's first byte.</param>
    /// <param name="byteLength">Its length.</param>
    /// <returns>From its first byte to before its last; empty where enough has been asked for.</returns>
    public (long From, long End) Next(long offset, long byteLength)
    {
        var end = Math.Min(length, offset + byteLength + Bytes);
        var asked = Volatile.Read(ref _asked);
        // Who reads far from what was asked for begins anew there.
        if (offset < asked - 4 * Bytes || offset > asked) asked = offset;
        if (end - asked < Bytes / 2 && end < length) return (asked, asked);
        Volatile.Write(ref _asked, end);
        return (asked, Math.Max(asked, end));
    }
}
