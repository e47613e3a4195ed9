using System.Buffers.Binary;
using System.Numerics;

namespace Meft.Reporting.TensorBoard;

/// <summary>
/// The framing of TensorFlow's record files, of which an event file is one: length (8 bytes, little endian), its masked CRC-32C (4), the data, their
/// masked CRC-32C (4). Records stand one after the other; a reader stops at the first that is not whole.
/// </summary>
internal static class RecordFile
{
    private const int HeaderBytes = 12, FooterBytes = 4;

    /// <summary>The check value of bytes: CRC-32C (Castagnoli), rotated by 15 bits, plus a constant, so that a check value of check values is sound.</summary>
    public static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = Crc32C(data);
        return BitOperations.RotateRight(crc, 15) + 0xA282EAD8u;
    }

    /// <summary>CRC-32C of bytes (RFC 3720, appendix B.4).</summary>
    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data) crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }

    /// <summary>A whole record around some data.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> data)
    {
        var record = new byte[HeaderBytes + data.Length + FooterBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        data.CopyTo(record.AsSpan(HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(HeaderBytes + data.Length), MaskedCrc(data));
        return record;
    }
}
