using System.Collections;
using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Storage;
using Microsoft.Win32.SafeHandles;

namespace Meft.Core.Data.Store;

/// <summary>
/// Rows in a file. In memory is the index, <see cref="RowEntry.ByteCount"/> bytes a row; a row's tokens are read when it is asked for, at their place
/// (pread), so that threads do not disturb one another and the system's page cache decides what stays. The file may be replaced or removed meanwhile.
/// </summary>
internal sealed class StoredRows : ITokenRows, IDisposable
{
    private const int PieceBytes = 1 << 20;
    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly RowEntry[] _index;
    private readonly long _end;

    private StoredRows(string path, SafeFileHandle file, RowEntry[] index, long end, IReadOnlyList<FileRows> files, DataAudit audit)
    {
        (_path, _file, _index, _end) = (path, file, index, end);
        Files = files;
        Audit = audit;
    }

    /// <summary>What became of the files' rows when they were tokenised.</summary>
    public DataAudit Audit { get; }

    /// <inheritdoc/>
    public IReadOnlyList<FileRows> Files { get; }

    /// <inheritdoc/>
    public int Count => _index.Length;

    /// <inheritdoc/>
    /// <exception cref="RunFailedException">The file cannot be read, or was changed after it was opened.</exception>
    public TokenRow this[int index]
    {
        get
        {
            var entry = _index[index];
            var bytes = new byte[EndOf(index) - entry.Offset];
            Read(bytes, entry.Offset, index);
            var row = RowCodec.Read(bytes, entry.Length, new RowOrigin(FileOf(index), entry.Line, entry.Number));
            return row is not null && row.TrainedTokens == entry.Trained ? row : throw Unreadable(index, "it was changed while it was in use", null);
        }
    }

    /// <inheritdoc/>
    public int LengthOf(int row) => _index[row].Length;

    /// <inheritdoc/>
    public int TrainedTokensOf(int row) => _index[row].Trained;

    /// <inheritdoc/>
    public IEnumerator<TokenRow> GetEnumerator()
    {
        for (var row = 0; row < Count; row++) yield return this[row];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>Opens a file of rows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">What the rows must follow from.</param>
    /// <param name="files">The files that they came from, as they are named now.</param>
    /// <param name="verify">Whether all bytes are read and compared with their checksum.</param>
    /// <returns>The rows; null where the file is absent, damaged, of another version or of other data.</returns>
    public static StoredRows? TryOpen(string path, byte[] key, IReadOnlyList<string> files, bool verify)
    {
        SafeFileHandle? file = null;
        try
        {
            if (!File.Exists(path)) return null;
            file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
            if (Open(path, file, key, files, verify) is { } rows) return rows;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
        }
        file?.Dispose();
        return null;
    }

    private static StoredRows? Open(string path, SafeFileHandle file, byte[] key, IReadOnlyList<string> files, bool verify)
    {
        var length = RandomAccess.GetLength(file);
        var start = new byte[RowFileHeader.ByteCount];
        if (!TryRead(file, start, 0) || RowFileHeader.Read(start, length) is not { } header || !header.Key.AsSpan().SequenceEqual(key)) return null;
        if (verify && Checksum(file, length) != header.Checksum) return null;
        if (ReadIndex(file, header) is not { } index) return null;
        var json = new byte[length - header.DescriptionStart];
        if (!TryRead(file, json, header.DescriptionStart) || JsonSerializer.Deserialize<RowFileDescription>(json) is not { Names: { } names, Files: { } ranges, Audit: not null } description)
            return null;
        if (names.Length != files.Count) return null;
        var next = 0;
        foreach (var range in ranges)
        {
            if (range is not [var place, var first, var count] || (uint)place >= (uint)files.Count || first != next || count <= 0) return null;
            next += count;
        }
        return next == index.Length
            ? new StoredRows(path, file, index, header.IndexStart, [.. ranges.Select(r => new FileRows(files[r[0]], r[1], r[2]))], description.AuditOf(files))
            : null;
    }

    /// <summary>The index; null where it is not one of rows that follow one another.</summary>
    private static RowEntry[]? ReadIndex(SafeFileHandle file, RowFileHeader header)
    {
        var index = new RowEntry[header.Rows];
        var piece = new byte[PieceBytes / RowEntry.ByteCount * RowEntry.ByteCount];
        var end = (long)RowFileHeader.ByteCount;
        for (var row = 0; row < index.Length;)
        {
            var part = piece.AsSpan(0, (int)Math.Min(piece.Length, ((long)index.Length - row) * RowEntry.ByteCount));
            if (!TryRead(file, part, header.IndexStart + (long)row * RowEntry.ByteCount)) return null;
            for (; !part.IsEmpty; part = part[RowEntry.ByteCount..], row++)
            {
                var entry = index[row] = RowEntry.Read(part);
                // A row has its ids and at least one run of labels; the next row follows.
                if (entry.Length <= 0 || (row > 0 ? entry.Offset < end : entry.Offset != end) || entry.Trained < 0) return null;
                end = entry.Offset + 4L * entry.Length + 4;
            }
        }
        return end <= header.IndexStart && header.IndexStart - index[^1].Offset <= Array.MaxLength ? index : null;
    }

    private static uint Checksum(SafeFileHandle file, long length)
    {
        var checksum = new Crc32C();
        var piece = new byte[PieceBytes];
        for (long at = RowFileHeader.ByteCount; at < length;)
        {
            var count = RandomAccess.Read(file, piece, at);
            if (count == 0) throw new EndOfStreamException();
            checksum.Add(piece.AsSpan(0, count));
            at += count;
        }
        return checksum.Value;
    }

    private static bool TryRead(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            var count = RandomAccess.Read(file, bytes, offset);
            if (count == 0) return false;
            bytes = bytes[count..];
            offset += count;
        }
        return true;
    }

    private void Read(Span<byte> bytes, long offset, int row)
    {
        try
        {
            if (!TryRead(_file, bytes, offset)) throw Unreadable(row, "it ends too early", null);
        }
        catch (IOException e)
        {
            throw Unreadable(row, e.Message, e);
        }
    }

    private RunFailedException Unreadable(int row, string reason, Exception? cause) => new(
        $"row {row} cannot be read from the cache of tokenised rows: {reason}", _path, null, "Remove the file (it is made again) and go on with --resume", cause);

    private long EndOf(int row) => row + 1 < _index.Length ? _index[row + 1].Offset : _end;

    private string FileOf(int row)
    {
        var (low, high) = (0, Files.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (Files[middle].First <= row) low = middle;
            else high = middle - 1;
        }
        return Files[low].File;
    }
}
