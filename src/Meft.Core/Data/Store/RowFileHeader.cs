using System.Buffers.Binary;
using Meft.Core.Storage;

namespace Meft.Core.Data.Store;

/// <summary>
/// The first bytes of a file of rows. The file is: header, the rows' tokens, the index (a <see cref="RowEntry"/> a row), the description (JSON).
/// </summary>
/// <param name="Key">SHA-256 of all that the rows follow from.</param>
/// <param name="Rows">How many rows there are.</param>
/// <param name="IndexStart">Where the index begins and the tokens end.</param>
/// <param name="FileLength">The whole file.</param>
/// <param name="Checksum">CRC-32C of all that follows the header.</param>
internal sealed record RowFileHeader(byte[] Key, int Rows, long IndexStart, long FileLength, uint Checksum)
{
    public const int ByteCount = 88;

    /// <summary>Raise it with every change of the file's form.</summary>
    public const int Version = 1;

    private const int KeyBytes = 32, ChecksumAt = ByteCount - 8;

    private static ReadOnlySpan<byte> Magic => "meftrows"u8;

    /// <summary>Where the description begins.</summary>
    public long DescriptionStart => IndexStart + (long)Rows * RowEntry.ByteCount;

    /// <summary>The header as bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[ByteCount];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Rows);
        Key.CopyTo(bytes.AsSpan(16));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16 + KeyBytes), IndexStart);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24 + KeyBytes), FileLength);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), Checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt + 4), Own(bytes));
        return bytes;
    }

    /// <summary>Reads a header; null where it is damaged, of another version, or does not describe a file of this length.</summary>
    public static RowFileHeader? Read(ReadOnlySpan<byte> bytes, long fileLength)
    {
        if (bytes.Length < ByteCount || !bytes.StartsWith(Magic) || BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]) != Version) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[(ChecksumAt + 4)..]) != Own(bytes)) return null;
        var header = new RowFileHeader(
            bytes[16..(16 + KeyBytes)].ToArray(), BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[(16 + KeyBytes)..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[(24 + KeyBytes)..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]));
        return header.Rows > 0 && header.FileLength == fileLength && header.IndexStart >= ByteCount && header.IndexStart <= fileLength
            && header.DescriptionStart <= fileLength
            ? header
            : null;
    }

    private static uint Own(ReadOnlySpan<byte> bytes)
    {
        var checksum = new Crc32C();
        checksum.Add(bytes[..(ChecksumAt + 4)]);
        return checksum.Value;
    }
}
