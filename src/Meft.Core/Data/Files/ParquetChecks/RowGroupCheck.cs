using System.Buffers.Binary;
using Parquet.Meta;
using Parquet.Schema;

namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>
/// Checks the pages of a row group before the library reads them: it believes their headers, and what they say of rooms to make.
/// </summary>
/// <param name="stream">The file.</param>
/// <param name="schema">Its columns.</param>
/// <param name="end">Where its footer begins.</param>
internal sealed class RowGroupCheck(Stream stream, ParquetSchema schema, long end)
{
    private const long ValuesPerByte = 1024, BaseValues = 1 << 20;

    private readonly List<long> _pages = [];
    private long _bytes;

    /// <summary>Where pages begin whose headers were checked.</summary>
    public IReadOnlyList<long> Pages => _pages;

    /// <summary>The group's numbers and pages fit each other and the file.</summary>
    /// <exception cref="InvalidDataException">They do not.</exception>
    public void Require(RowGroup group)
    {
        // Repeated values take next to no room, so that the bound is a wide one; the columns' pages must agree with it, each of them.
        if (group.NumRows < 0 || group.NumRows > BaseValues + ValuesPerByte * stream.Length)
            throw new InvalidDataException($"a row group says that it has {group.NumRows} rows");
        if (group.Columns.Count == 0 && group.NumRows > 0) throw new InvalidDataException("a row group has no columns");
        foreach (var column in group.Columns) Require(column.MetaData ?? throw new InvalidDataException("a column has no description"), group.NumRows);
    }

    private void Require(ColumnMetaData column, long rows)
    {
        if (column.NumValues < rows || column.NumValues > BaseValues + ValuesPerByte * stream.Length)
            throw new InvalidDataException($"a column of a group of {rows} rows says that it has {column.NumValues} values");
        if (column.NumValues == 0) return;
        var field = schema.DataFields.FirstOrDefault(f => f.Path.ToList().SequenceEqual(column.PathInSchema))
            ?? throw new InvalidDataException($"there is no column {string.Join('.', column.PathInSchema)}");
        var at = new[] { column.DictionaryPageOffset ?? 0, column.DataPageOffset, column.IndexPageOffset ?? 0 }.Where(offset => offset != 0).DefaultIfEmpty().Min();
        if (at <= 0 || at >= end) throw new InvalidDataException("a column lies outside of the file");
        for (var left = column.NumValues; left > 0;)
        {
            stream.Position = at;
            var page = PageHeaderNumbers.Read(stream, end);
            var data = stream.Position;
            _pages.Add(at);
            at = data + page.Compressed;
            // No page belongs to two columns.
            if ((_bytes += at - _pages[^1]) > end) throw new InvalidDataException("its pages are larger than the file");
            if (page.Type != PageType.DICTIONARY_PAGE) left -= page.Values;
            if (left < 0) throw new InvalidDataException($"pages have more values than the {column.NumValues} of their column");
            var bytes = RequireData(page, data, column.Codec, field);
            if (page.Type == PageType.DICTIONARY_PAGE && page.Values > bytes)
                throw new InvalidDataException($"a dictionary of {page.Values} entries has {bytes} bytes");
        }
    }

    /// <summary>What the page's bytes say of rooms to make.</summary>
    /// <returns>How many bytes they become.</returns>
    private long RequireData(PageHeaderNumbers page, long at, CompressionCodec codec, DataField field)
    {
        var levels = 0;
        if (page.Type == PageType.DATA_PAGE_V2)
        {
            if (page.Nulls < 0 || page.Nulls > page.Values) throw new InvalidDataException($"a page of {page.Values} values has {page.Nulls} nulls");
            if (page.DefinitionBytes < 0 || page.RepetitionBytes < 0 || (long)page.DefinitionBytes + page.RepetitionBytes > page.Compressed)
                throw new InvalidDataException("the levels of a page are larger than it");
            levels = (field.MaxDefinitionLevel > 0 ? page.DefinitionBytes : 0) + (field.MaxRepetitionLevel > 0 ? page.RepetitionBytes : 0);
            if (!page.IsCompressed) codec = CompressionCodec.UNCOMPRESSED;
        }
        var isDelta = page.Type != PageType.DICTIONARY_PAGE
            && page.Encoding is Encoding.DELTA_BINARY_PACKED or Encoding.DELTA_LENGTH_BYTE_ARRAY or Encoding.DELTA_BYTE_ARRAY;
        if (!isDelta && !PageCodec.SaysLength(codec) && PageCodec.IsExplained(codec, page.Compressed, page.Uncompressed)) return page.Uncompressed;
        var length = page.Compressed - levels;
        var compressed = new byte[isDelta || codec != CompressionCodec.SNAPPY ? length : Math.Min(length, PageCodec.SnappyLengthBytes)];
        stream.Position = at + levels;
        stream.ReadExactly(compressed);
        // What the bytes say themselves is what the library makes room for, whatever the header says.
        var uncompressed = PageCodec.SaysLength(codec) ? PageCodec.LengthOf(codec, compressed) : page.Uncompressed;
        if (!PageCodec.IsExplained(codec, length, uncompressed) && !PageCodec.Becomes(codec, compressed, uncompressed))
            throw new InvalidDataException($"{length} bytes of a page would become {uncompressed}");
        if (isDelta) RequireDelta(PageCodec.Decompress(codec, compressed, page.Uncompressed), page, field);
        return uncompressed;
    }

    private static void RequireDelta(ReadOnlySpan<byte> data, PageHeaderNumbers page, DataField field)
    {
        if (page.Type == PageType.DATA_PAGE)
        {
            if (field.MaxRepetitionLevel > 0) data = AfterLevels(data);
            if (field.MaxDefinitionLevel > 0) data = AfterLevels(data);
        }
        var walked = DeltaHeader.Walk(data, page.Values);
        if (page.Encoding == Encoding.DELTA_BYTE_ARRAY) DeltaHeader.Walk(data[walked..], page.Values); // after the prefixes' lengths those of the rest
    }

    private static ReadOnlySpan<byte> AfterLevels(ReadOnlySpan<byte> data)
    {
        var length = data.Length < sizeof(int) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(data);
        if (length < 0 || length > data.Length - sizeof(int)) throw new InvalidDataException("the levels of a page are larger than it");
        return data[(sizeof(int) + length)..];
    }
}
