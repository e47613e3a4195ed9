namespace Meft.Core.Formats.Gguf;

/// <summary>What a GGUF file says of one tensor.</summary>
/// <param name="Name">The tensor's name, as GGUF names it.</param>
/// <param name="Type">The type of its blocks.</param>
/// <param name="Shape">The sizes of the dimensions, the last one contiguous (the reverse of the file's own order).</param>
/// <param name="Offset">Where the blocks begin, in bytes from the beginning of the file.</param>
/// <param name="ByteLength">The length of the blocks in bytes.</param>
public sealed record GgufTensor(string Name, GgmlType Type, IReadOnlyList<long> Shape, long Offset, long ByteLength)
{
    /// <summary>The number of weights.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The weights of a row: the size of the last dimension, 1 for a scalar.</summary>
    public long RowWeights => Shape.Count == 0 ? 1 : Shape[^1];

    /// <summary>The bytes of a row, which is a whole number of blocks.</summary>
    public long RowBytes => RowWeights / Type.BlockWeights() * Type.BlockBytes();
}
