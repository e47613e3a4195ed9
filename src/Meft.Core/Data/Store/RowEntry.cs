using System.Buffers.Binary;

namespace Meft.Core.Data.Store;

/// <summary>What the index holds of a row: 24 bytes, in memory as in the file (little-endian, in this order).</summary>
/// <param name="Offset">Where in the file its tokens begin; they end where the next row's begin.</param>
/// <param name="Length">Its tokens.</param>
/// <param name="Trained">Those that the loss counts.</param>
/// <param name="Line">The line of its file, as <see cref="RowOrigin"/> has it.</param>
/// <param name="Number">Its number in its file, as <see cref="RowOrigin"/> has it.</param>
internal readonly record struct RowEntry(long Offset, int Length, int Trained, int Line, int Number)
{
    public const int ByteCount = 24;

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Offset);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], Trained);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], Line);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], Number);
    }

    public static RowEntry Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]));
}
