using System.Runtime.InteropServices;
using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Core.Data.Store;

/// <summary>What a file of rows says of itself after its index.</summary>
/// <param name="Names">The files as they were named.</param>
/// <param name="Files">For each range of rows, the place of its file in the list of files, its first row and how many there are.</param>
/// <param name="Audit">What became of the files' rows.</param>
internal sealed record RowFileDescription(string[] Names, int[][] Files, DataAudit Audit)
{
    /// <summary>The audit, its places under the names that the files have now.</summary>
    public DataAudit AuditOf(IReadOnlyList<string> files)
    {
        if (Names.SequenceEqual(files)) return Audit;
        return Audit with
        {
            Refused = [.. Audit.Refused.Select(r => r with { Place = Renamed(r.Place) })],
            Longest = [.. Audit.Longest.Select(r => r with { Place = Renamed(r.Place) })],
            Shown = [.. Audit.Shown.Select(r => r with { Place = Renamed(r.Place) })],
        };

        // A place is the file's name, alone or with a line or a number after it.
        string Renamed(string place)
        {
            foreach (var (name, now) in Names.Zip(files))
            {
                if (place.StartsWith(name, StringComparison.Ordinal) && (place.Length == name.Length || place[name.Length] is ':' or ' '))
                    return now + place[name.Length..];
            }
            return place;
        }
    }
}

/// <summary>Writes a file of rows, a row at a time: what is kept in memory meanwhile is the index.</summary>
/// <param name="stream">An empty stream that can seek.</param>
/// <param name="files">The files that rows come from.</param>
internal sealed class RowFileWriter(Stream stream, IReadOnlyList<string> files)
{
    private readonly List<RowEntry> _index = [];
    private readonly List<int[]> _ranges = [];
    private readonly List<byte> _bytes = [];
    private Crc32C _checksum = new();
    private string? _file;
    private long _position = RowFileHeader.ByteCount;

    /// <summary>Appends a row.</summary>
    public void Add(TokenRow row)
    {
        if (_index.Count == 0) stream.Write(new byte[RowFileHeader.ByteCount]);
        if (row.Length > RowCodec.MostTokens)
            throw new InvalidInputException($"the row has {row.Length} tokens", row.Origin.ToString(), $"at most {RowCodec.MostTokens} tokens a row");
        if (row.Origin.File != _file)
        {
            _file = row.Origin.File;
            _ranges.Add([PlaceOf(_file), _index.Count, 0]);
        }
        _ranges[^1][2]++;
        _index.Add(new RowEntry(_position, row.Length, row.TrainedTokens, row.Origin.Line, row.Origin.Number));
        _bytes.Clear();
        RowCodec.Write(row, _bytes);
        Append(CollectionsMarshal.AsSpan(_bytes));
    }

    /// <summary>Writes the index, the description and the header; at least one row must have been added.</summary>
    public void Finish(byte[] key, DataAudit audit)
    {
        var indexStart = _position;
        Span<byte> entry = stackalloc byte[RowEntry.ByteCount];
        foreach (var row in _index)
        {
            row.Write(entry);
            Append(entry);
        }
        Append(JsonSerializer.SerializeToUtf8Bytes(new RowFileDescription([.. files], [.. _ranges], audit)));
        stream.Position = 0;
        stream.Write(new RowFileHeader(key, _index.Count, indexStart, _position, _checksum.Value).ToBytes());
        stream.Position = _position;
    }

    private int PlaceOf(string file)
    {
        for (var i = 0; i < files.Count; i++)
        {
            if (files[i] == file) return i;
        }
        throw new ArgumentException($"a row comes from {file}, which is none of the files", nameof(file));
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        _checksum.Add(bytes);
        stream.Write(bytes);
        _position += bytes.Length;
    }
}
