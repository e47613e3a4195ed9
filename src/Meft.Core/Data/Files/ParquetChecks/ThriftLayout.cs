namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>The kinds of values of Thrift's compact protocol, as they are written.</summary>
internal enum ThriftKind : byte
{
    True = 1, False = 2, I8 = 3, I16 = 4, I32 = 5, I64 = 6, Double = 7, Binary = 8, List = 9, Struct = 12,
}

/// <summary>What a field or an item must be.</summary>
/// <param name="Kind">Its kind; <see cref="ThriftKind.True"/> stands for both truth values.</param>
/// <param name="Layout">The layout of a struct.</param>
/// <param name="Item">The items of a list.</param>
internal sealed record ThriftType(ThriftKind Kind, ThriftLayout? Layout = null, ThriftType? Item = null)
{
    public static readonly ThriftType Bool = new(ThriftKind.True), I8 = new(ThriftKind.I8), I16 = new(ThriftKind.I16), I32 = new(ThriftKind.I32),
        I64 = new(ThriftKind.I64), Float64 = new(ThriftKind.Double), Binary = new(ThriftKind.Binary);

    /// <summary>A list of such.</summary>
    public ThriftType List => new(ThriftKind.List, Item: this);

    /// <summary>A struct of this layout.</summary>
    public static implicit operator ThriftType(ThriftLayout layout) => new(ThriftKind.Struct, layout);
}

/// <summary>The fields that a struct may have, by their numbers from 1; null for a number that is not in use.</summary>
internal sealed class ThriftLayout(params ThriftType?[] fields)
{
    /// <summary>What a field must be; null for one that is not known.</summary>
    public ThriftType? Find(int field) => field >= 1 && field <= fields.Length ? fields[field - 1] : null;
}
