using Meft.Core.Data.Files.ParquetChecks;
using Meft.Core.Errors;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;
using Parquet.Serialization;

namespace Meft.Core.Data.Files;

/// <summary>
/// Reads <c>.parquet</c>, one row group at a time; lists and structs become lists and objects. The library believes whatever a file says of itself,
/// so that the file is checked first.
/// </summary>
internal static class ParquetFile
{
    /// <summary>Older writers do not say that their bytes are text.</summary>
    private static readonly ParquetOptions Options = new() { TreatByteArrayAsString = true };

    /// <summary>The rows in order, lazily.</summary>
    /// <exception cref="InvalidInputException">The file is damaged, or holds what cannot be read.</exception>
    public static IEnumerable<FileRow> Read(string path)
    {
        using var stream = new CheckedPagesStream(DataFile.Open(path));
        if (stream.Length == 0) yield break;
        var (end, groups, schema) = Guard(path, 0, () => ReadFooter(stream));
        var number = 0;
        for (var group = 0; group < groups.Count; group++)
        {
            var rows = Guard(path, number, () => ReadGroup(stream, end, groups[group], schema, group));
            foreach (var row in rows)
                yield return CellObject.Of(row.Select(cell => KeyValuePair.Create(cell.Key, (object?)cell.Value)), new RowOrigin(path, 0, ++number));
        }
    }

    private static (long End, IReadOnlyList<RowGroup> Groups, ParquetSchema Schema) ReadFooter(Stream stream)
    {
        var end = FooterCheck.Require(stream);
        var reader = ParquetReader.CreateAsync(stream, Options, leaveStreamOpen: true).GetAwaiter().GetResult();
        try
        {
            return (end, reader.Metadata?.RowGroups ?? [], reader.Schema);
        }
        finally
        {
            reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static IEnumerable<Dictionary<string, object>> ReadGroup(CheckedPagesStream stream, long end, RowGroup group, ParquetSchema schema, int index)
    {
        var check = new RowGroupCheck(stream, schema, end);
        check.Require(group);
        stream.Allow(check.Pages);
        return ParquetSerializer.DeserializeUntypedAsync(stream, Options, index).GetAwaiter().GetResult().Data;
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
