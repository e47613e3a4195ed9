using Meft.Core.Errors;
using Parquet;
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
        var reader = ParquetReader.CreateAsync(stream, null, leaveStreamOpen: true).GetAwaiter().GetResult();
        try
        {
            return reader.RowGroupCount;
        }
        finally
        {
            reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
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
