namespace Meft.Core.Formats;

/// <summary>
/// What a source says of one tensor, as it is read: dense, in row-major order, little-endian. Where the file keeps it in another
/// form (<see cref="Gguf.GgufModelSource"/>), <paramref name="Offset"/> is that of the form in the file, all else of the data as read.
/// </summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The sizes of the dimensions, the last one contiguous; empty for a scalar.</param>
/// <param name="Offset">Where the data begin, in bytes from the beginning of the file they lie in.</param>
/// <param name="ByteLength">The length of the data in bytes.</param>
public sealed record TensorEntry(string Name, TensorDType DType, IReadOnlyList<long> Shape, long Offset, long ByteLength)
{
    /// <summary>The number of elements: the product of <see cref="Shape"/>, 1 for a scalar.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Numbers of a row: the size of the last dimension; 1 for a scalar.</summary>
    public long RowLength => Shape.Count == 0 ? 1 : Shape[^1];

    /// <summary>Rows: the product of all sizes but the last; 1 for a scalar and for a tensor of one dimension.</summary>
    public long RowCount => Shape.SkipLast(1).Aggregate(1L, (product, size) => product * size);

    /// <summary>Refuses rows that the tensor does not have.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It does not have them.</exception>
    internal void RequireRows(long firstRow, long rowCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        ArgumentOutOfRangeException.ThrowIfNegative(rowCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstRow, RowCount - rowCount);
    }
}
