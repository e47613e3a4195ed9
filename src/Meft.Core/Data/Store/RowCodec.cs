using System.Buffers.Binary;

namespace Meft.Core.Data.Store;

/// <summary>
/// A row's tokens as bytes, little-endian int32 throughout: the ids, then the labels as runs. A run is (its length · 4 + its kind): not trained, trained
/// on its own ids, or labels of its own, which then follow. A prompt and its answer are two runs.
/// </summary>
internal static class RowCodec
{
    private const int Ignored = 0, SameAsIds = 1, Own = 2, KindBits = 2;

    /// <summary>The most tokens of a row; config allows fewer.</summary>
    public const int MostTokens = 1 << 26;

    /// <summary>Appends a row.</summary>
    public static void Write(TokenRow row, List<byte> bytes)
    {
        foreach (var id in row.InputIds) Append(bytes, id);
        for (var start = 0; start < row.Length;)
        {
            var kind = KindAt(row, start);
            var end = start + 1;
            while (end < row.Length && KindAt(row, end) == kind) end++;
            Append(bytes, ((end - start) << KindBits) | kind);
            if (kind == Own)
            {
                foreach (var label in row.Labels.AsSpan(start, end - start)) Append(bytes, label);
            }
            start = end;
        }
    }

    /// <summary>Reads a row; null where the bytes are no row of this length.</summary>
    public static TokenRow? Read(ReadOnlySpan<byte> bytes, int length, RowOrigin origin)
    {
        if (bytes.Length % 4 != 0 || bytes.Length / 4 < length) return null;
        var ids = new int[length];
        for (var i = 0; i < length; i++) ids[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]);
        var rest = bytes[(4 * length)..];
        var labels = new int[length];
        for (var start = 0; start < length;)
        {
            if (rest.IsEmpty) return null;
            var run = BinaryPrimitives.ReadInt32LittleEndian(rest);
            rest = rest[4..];
            var (count, kind) = (run >> KindBits, run & ((1 << KindBits) - 1));
            if (count <= 0 || count > length - start) return null;
            var part = labels.AsSpan(start, count);
            if (kind == Ignored) part.Fill(TokenRow.Ignored);
            else if (kind == SameAsIds) ids.AsSpan(start, count).CopyTo(part);
            else if (kind != Own || rest.Length / 4 < count) return null;
            else
            {
                for (var i = 0; i < count; i++) part[i] = BinaryPrimitives.ReadInt32LittleEndian(rest[(4 * i)..]);
                rest = rest[(4 * count)..];
            }
            start += count;
        }
        return rest.IsEmpty ? new TokenRow(ids, labels, origin) : null;
    }

    private static int KindAt(TokenRow row, int i) =>
        row.Labels[i] == TokenRow.Ignored ? Ignored : row.Labels[i] == row.InputIds[i] ? SameAsIds : Own;

    private static void Append(List<byte> bytes, int value)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(four, value);
        bytes.AddRange(four);
    }
}
