using System.Buffers.Binary;

namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>Checks a file's footer before the library reads it.</summary>
internal static class FooterCheck
{
    /// <summary>The length of the footer and the letters that end the file.</summary>
    private const int BytesAfterFooter = 8;

    private const int BytesBeforePages = 4, MaxDepth = 64, MaxDigits = 1000, MaxTypeLength = 1 << 20;

    /// <summary>The footer is well built, and so is the tree of columns in it.</summary>
    /// <returns>Where the footer begins.</returns>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public static long Require(Stream stream)
    {
        Span<byte> end = stackalloc byte[BytesAfterFooter];
        if (stream.Length < BytesBeforePages + BytesAfterFooter) throw new InvalidDataException("it is too short");
        stream.Position = stream.Length - BytesAfterFooter;
        stream.ReadExactly(end);
        if (!end[4..].SequenceEqual("PAR1"u8)) throw new InvalidDataException("it does not end as Parquet files do");
        long bytes = BinaryPrimitives.ReadInt32LittleEndian(end);
        var begin = stream.Length - BytesAfterFooter - bytes;
        if (bytes <= 0 || begin < BytesBeforePages) throw new InvalidDataException($"its description of itself would have {bytes} bytes");
        stream.Position = begin;
        List<int> children = [];
        var walker = new ThriftWalker(stream, bytes, (layout, field, value) => Check(layout, field, value, children), layout =>
        {
            if (layout == ParquetLayout.SchemaElement) children.Add(0);
        });
        walker.Walk(ParquetLayout.FileMetaData);
        if (walker.Left != 0) throw new InvalidDataException("its description of itself ends too early");
        RequireTree(children);
        return begin;
    }

    private static void Check(ThriftLayout layout, int field, long value, List<int> children)
    {
        const int TypeLength = 2, NumChildren = 5, Scale = 7, Precision = 8;
        if (layout == ParquetLayout.Decimal) RequireBetween("decimal digits", value, MaxDigits);
        if (layout != ParquetLayout.SchemaElement) return;
        if (field == TypeLength) RequireBetween("bytes of a value", value, MaxTypeLength);
        if (field is Scale or Precision) RequireBetween("decimal digits", value, MaxDigits);
        if (field == NumChildren) children[^1] = (int)RequireBetween("columns in a column", value, int.MaxValue);
    }

    private static long RequireBetween(string what, long value, long most) =>
        value >= 0 && value <= most ? value : throw new InvalidDataException($"it says that there are {value} {what}");

    /// <summary>The columns are listed with those inside of each after it; the library goes down the tree without a bound of its own.</summary>
    private static void RequireTree(List<int> children)
    {
        var open = new Stack<int>([1]);
        foreach (var count in children)
        {
            while (open.TryPeek(out var left) && left == 0) open.Pop();
            if (open.Count == 0) throw new InvalidDataException("a column belongs nowhere");
            open.Push(open.Pop() - 1);
            open.Push(count);
            if (open.Count > MaxDepth) throw new InvalidDataException($"columns are nested more than {MaxDepth} deep");
        }
        if (children.Count == 0 || open.Any(left => left > 0)) throw new InvalidDataException("columns are missing");
    }
}
