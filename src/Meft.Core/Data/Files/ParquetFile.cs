using Meft.Core.Errors;
using Parquet;
using Parquet.Meta;
using Parquet.Serialization;

namespace Meft.Core.Data.Files;

/// <summary>Reads <c>.parquet</c>, one row group at a time; lists and structs become lists and objects.</summary>
internal static class ParquetFile
{
    /// <summary>Older writers do not say that their bytes are text.</summary>
    private static readonly ParquetOptions Options = new() { TreatByteArrayAsString = true };

    /// <summary>The rows in order, lazily.</summary>
    /// <exception cref="InvalidInputException">The file is damaged, or holds what cannot be read.</exception>
    public static IEnumerable<FileRow> Read(string path)
    {
        using var stream = new FiniteStream(DataFile.Open(path));
        if (stream.Length == 0) yield break;
        var groups = Guard(path, 0, () => CountGroups(stream));
        var number = 0;
        for (var group = 0; group < groups; group++)
        {
            var rows = Guard(path, number, () => ParquetSerializer.DeserializeUntypedAsync(stream, Options, group).GetAwaiter().GetResult().Data);
            foreach (var row in rows)
                yield return CellObject.Of(row.Select(cell => KeyValuePair.Create(cell.Key, (object?)cell.Value)), new RowOrigin(path, 0, ++number));
        }
    }

    private static int CountGroups(Stream stream)
    {
        RequireFooterEnd(stream);
        var reader = ParquetReader.CreateAsync(stream, null, leaveStreamOpen: true).GetAwaiter().GetResult();
        try
        {
            foreach (var group in reader.Metadata?.RowGroups ?? []) Check(group, stream.Length);
            return reader.RowGroupCount;
        }
        finally
        {
            reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>A description that does not end with the byte that ends it sends the library into an endless loop.</summary>
    private static void RequireFooterEnd(Stream stream)
    {
        const int BytesAfterFooter = 8; // the footer's length, and the letters that end the file
        if (stream.Length <= BytesAfterFooter) return;
        stream.Position = stream.Length - BytesAfterFooter - 1;
        if (stream.ReadByte() != 0) throw new InvalidDataException("its description of itself has no end");
        stream.Position = 0;
    }

    /// <summary>
    /// Refuses counts that the file's size does not explain: the library believes them. Repeated values take next to no room, so that the
    /// bound is a wide one.
    /// </summary>
    private static void Check(RowGroup group, long fileBytes)
    {
        const long ValuesPerByte = 1024, Base = 1 << 20;
        var most = ValuesPerByte * fileBytes + Base;
        if (group.NumRows < 0 || group.NumRows > most) throw new InvalidDataException($"a row group says that it has {group.NumRows} rows");
        foreach (var column in group.Columns)
        {
            if (column.MetaData is not { } data) throw new InvalidDataException("a column has no description");
            if (data.NumValues < 0 || data.NumValues > most) throw new InvalidDataException($"a column says that it has {data.NumValues} values");
            if (data.TotalCompressedSize < 0 || data.TotalCompressedSize > fileBytes || data.DataPageOffset < 0 || data.DataPageOffset >= fileBytes)
                throw new InvalidDataException("a column lies outside of the file");
        }
    }

    /// <summary>The library says of a damaged file what it stumbled over, in exceptions of many types.</summary>
    private static T Guard<T>(string path, int rowsRead, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var place = rowsRead == 0 ? "" : $" after row {rowsRead}";
            throw new InvalidInputException(
                $"the Parquet file cannot be read{place}: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}", path,
                "a whole Parquet file with columns of text, numbers, lists and structs", "Write the file anew, or convert it to .jsonl", e);
        }
    }
}
