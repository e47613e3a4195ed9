using static Meft.Core.Data.Files.ParquetChecks.ThriftType;

namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>
/// The structs of the Parquet format, as <c>parquet.thrift</c> of apache/parquet-format 2.11 numbers their fields. The library that reads
/// them believes the field numbers and does not look at the kinds.
/// </summary>
internal static class ParquetLayout
{
    private static readonly ThriftLayout Empty = new();
    private static readonly ThriftLayout Statistics = new(Binary, Binary, I64, I64, Binary, Binary, Bool, Bool);
    private static readonly ThriftLayout SizeStatistics = new(I64, I64.List, I64.List);
    private static readonly ThriftLayout Box = new(Float64, Float64, Float64, Float64, Float64, Float64, Float64, Float64);
    private static readonly ThriftLayout GeospatialStatistics = new(Box, I32.List);
    private static readonly ThriftLayout KeyValue = new(Binary, Binary);
    private static readonly ThriftLayout SortingColumn = new(I32, Bool, Bool);
    private static readonly ThriftLayout EncodingStats = new(I32, I32, I32);

    /// <summary>1 scale, 2 precision.</summary>
    public static readonly ThriftLayout Decimal = new(I32, I32);

    private static readonly ThriftLayout Time = new(Bool, new ThriftLayout(Empty, Empty, Empty));
    private static readonly ThriftLayout LogicalType = new(
        Empty, Empty, Empty, Empty, Decimal, Empty, Time, Time, null, new ThriftLayout(I8, Bool), Empty, Empty, Empty, Empty, Empty,
        new ThriftLayout(I8), new ThriftLayout(Binary), new ThriftLayout(Binary, I32));

    /// <summary>2 length of the type, 5 number of children, 7 scale, 8 precision.</summary>
    public static readonly ThriftLayout SchemaElement = new(I32, I32, I32, Binary, I32, I32, I32, I32, I32, LogicalType);

    private static readonly ThriftLayout ColumnMetaData = new(
        I32, I32.List, Binary.List, I32, I64, I64, I64, ((ThriftType)KeyValue).List, I64, I64, I64, Statistics, ((ThriftType)EncodingStats).List, I64, I32,
        SizeStatistics, GeospatialStatistics);

    private static readonly ThriftLayout ColumnCrypto = new(Empty, new ThriftLayout(Binary.List, Binary));
    private static readonly ThriftLayout ColumnChunk = new(Binary, I64, ColumnMetaData, I64, I32, I64, I32, ColumnCrypto, Binary);
    private static readonly ThriftLayout RowGroup = new(((ThriftType)ColumnChunk).List, I64, I64, ((ThriftType)SortingColumn).List, I64, I64, I16);
    private static readonly ThriftLayout Encryption = new(new ThriftLayout(Binary, Binary, Bool), new ThriftLayout(Binary, Binary, Bool));

    /// <summary>The footer.</summary>
    public static readonly ThriftLayout FileMetaData = new(
        I32, ((ThriftType)SchemaElement).List, I64, ((ThriftType)RowGroup).List, ((ThriftType)KeyValue).List, Binary,
        ((ThriftType)new ThriftLayout(Empty)).List, Encryption, Binary);

    /// <summary>1 number of values, 2 encoding.</summary>
    public static readonly ThriftLayout DataPage = new(I32, I32, I32, I32, Statistics);

    /// <summary>1 number of values, 2 encoding.</summary>
    public static readonly ThriftLayout DictionaryPage = new(I32, I32, Bool);

    /// <summary>1 number of values, 2 of nulls, 3 of rows, 4 encoding, 5 bytes of definition levels, 6 of repetition levels, 7 whether compressed.</summary>
    public static readonly ThriftLayout DataPageV2 = new(I32, I32, I32, I32, I32, I32, Bool, Statistics);

    /// <summary>1 kind of page, 2 uncompressed bytes, 3 compressed bytes.</summary>
    public static readonly ThriftLayout PageHeader = new(I32, I32, I32, I32, DataPage, Empty, DictionaryPage, DataPageV2);
}
