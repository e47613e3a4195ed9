using System.Globalization;
using System.IO.Hashing;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>
/// The checksum of checkpoint files: XxHash3, 64 bits, written as 16 hexadecimal digits. It finds damage, not forgery. It reads memory at 13 GB/s on one
/// core where SHA-256 does 1.5 GB/s, so that it costs next to nothing beside the disk.
/// </summary>
internal sealed class FileChecksum
{
    /// <summary>Its name in files.</summary>
    public const string Kind = "xxh3-64";

    /// <summary>Its digits.</summary>
    public const int Digits = 16;

    private const int BlockBytes = 1 << 24;
    private readonly XxHash3 _hash = new();

    /// <summary>The checksum of bytes.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => Text(XxHash3.HashToUInt64(bytes));

    /// <summary>The checksum of bytes that lie in memory.</summary>
    public static unsafe string Of(nint data, long byteCount)
    {
        var sum = new FileChecksum();
        for (long done = 0; done < byteCount; done += BlockBytes)
            sum.Append(new ReadOnlySpan<byte>((byte*)data + done, (int)Math.Min(BlockBytes, byteCount - done)));
        return sum.Take();
    }

    /// <summary>Adds bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes) => _hash.Append(bytes);

    /// <summary>The checksum of what was added since the last one was taken.</summary>
    public string Take()
    {
        var text = Text(_hash.GetCurrentHashAsUInt64());
        _hash.Reset();
        return text;
    }

    private static string Text(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture);
}
