using Parquet.Meta;

namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>The numbers of a page's header.</summary>
internal sealed class PageHeaderNumbers
{
    private readonly Dictionary<(ThriftLayout, int), long> _numbers = [];

    private PageHeaderNumbers()
    {
    }

    /// <summary>What kind of page it is.</summary>
    public PageType Type => (PageType)Of(ParquetLayout.PageHeader, 1);

    /// <summary>What the page's bytes become.</summary>
    public int Uncompressed => Of(ParquetLayout.PageHeader, 2);

    /// <summary>The bytes after the header.</summary>
    public int Compressed => Of(ParquetLayout.PageHeader, 3);

    /// <summary>The entries of a dictionary, or the values with nulls.</summary>
    public int Values => Of(Layout, 1);

    /// <summary>How the values are written.</summary>
    public Encoding Encoding => (Encoding)Of(Layout, Type == PageType.DATA_PAGE_V2 ? 4 : 2);

    /// <summary>The nulls; only pages of version 2 say it.</summary>
    public int Nulls => Of(ParquetLayout.DataPageV2, 2);

    /// <summary>The bytes of definition levels of a page of version 2.</summary>
    public int DefinitionBytes => Of(ParquetLayout.DataPageV2, 5);

    /// <summary>The bytes of repetition levels of a page of version 2.</summary>
    public int RepetitionBytes => Of(ParquetLayout.DataPageV2, 6);

    /// <summary>Whether the values of a page of version 2 are compressed; they are where nothing is said.</summary>
    public bool IsCompressed => _numbers.GetValueOrDefault((ParquetLayout.DataPageV2, 7), 1) == 1;

    private ThriftLayout Layout => Type switch
    {
        PageType.DICTIONARY_PAGE => ParquetLayout.DictionaryPage,
        PageType.DATA_PAGE => ParquetLayout.DataPage,
        PageType.DATA_PAGE_V2 => ParquetLayout.DataPageV2,
        _ => throw new InvalidDataException($"pages of kind {(int)Type} cannot be read"),
    };

    /// <summary>Reads a header.</summary>
    /// <param name="stream">The file, at the header; afterwards behind it.</param>
    /// <param name="end">Where the pages of the file end at the latest.</param>
    /// <exception cref="InvalidDataException">There is none, or it or its page does not end before.</exception>
    public static PageHeaderNumbers Read(Stream stream, long end)
    {
        var header = new PageHeaderNumbers();
        var walker = new ThriftWalker(stream, end - stream.Position, (layout, field, value) => header._numbers[(layout, field)] = value);
        walker.Walk(ParquetLayout.PageHeader);
        if (header.Compressed < 0 || header.Compressed > walker.Left) throw new InvalidDataException($"a page of {header.Compressed} bytes lies outside of the file");
        if (header.Values < 0) throw new InvalidDataException($"a page says that it has {header.Values} values");
        return header;
    }

    private int Of(ThriftLayout layout, int field) => (int)_numbers.GetValueOrDefault((layout, field));
}
