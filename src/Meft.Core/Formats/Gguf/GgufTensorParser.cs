namespace Meft.Core.Formats.Gguf;

/// <summary>Reads the descriptions of the tensors, and checks that their data lie within the file and do not overlap.</summary>
internal static class GgufTensorParser
{
    /// <summary>A name (length), the number of dimensions, a type and an offset at least.</summary>
    public const int LeastEntryBytes = 8 + 4 + 4 + 8;

    private const int MaxDimensions = 4;

    /// <summary>Reads so many descriptions. The data begin at the next multiple of the alignment.</summary>
    /// <exception cref="GgufException">A description is malformed.</exception>
    public static Dictionary<string, GgufTensor> Parse(GgufCursor cursor, int count, uint alignment)
    {
        var descriptions = new List<(GgufTensor Tensor, long At)>(count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            cursor.Subject = null;
            var at = cursor.Offset;
            var name = cursor.ReadString($"the name of tensor {i}");
            cursor.Subject = name;
            if (!names.Add(name)) throw cursor.Failure("the tensor's name stands twice", at);
            descriptions.Add((ParseOne(cursor, name, alignment), at));
        }
        var fileLength = cursor.Offset + cursor.Remaining;
        var dataStart = (cursor.Offset + alignment - 1) / alignment * alignment;
        var tensors = new Dictionary<string, GgufTensor>(count, StringComparer.Ordinal);
        var end = dataStart;
        foreach (var (tensor, at) in descriptions.OrderBy(d => d.Tensor.Offset))
        {
            cursor.Subject = tensor.Name;
            if (tensor.Offset > fileLength - dataStart || tensor.ByteLength > fileLength - dataStart - tensor.Offset)
            {
                throw cursor.Failure(
                    $"the tensor's {tensor.ByteLength} bytes at {tensor.Offset} of the data go past the file's end: "
                    + $"it has {Math.Max(0, fileLength - dataStart)} bytes of data", at);
            }
            var placed = tensor with { Offset = dataStart + tensor.Offset };
            if (placed.Offset < end && placed.ByteLength > 0)
                throw cursor.Failure($"the tensor's data begin at {tensor.Offset}, where another's have not ended", at);
            end = Math.Max(end, placed.Offset + placed.ByteLength);
            tensors.Add(placed.Name, placed);
        }
        return tensors;
    }

    private static GgufTensor ParseOne(GgufCursor cursor, string name, uint alignment)
    {
        var shape = ParseShape(cursor, out var shapeAt);
        var type = ParseType(cursor);
        var row = shape.Length == 0 ? 1 : shape[^1];
        if (row % type.BlockWeights() != 0)
        {
            throw cursor.Failure(
                $"a row of {row} weights is not a whole number of {type.GgmlName()} blocks", shapeAt,
                $"multiples of {type.BlockWeights()}");
        }
        var at = cursor.Offset;
        var offset = cursor.Read<ulong>("a tensor's offset");
        if (offset % alignment != 0 || offset > long.MaxValue)
            throw cursor.Failure($"the tensor's data begin at {offset}", at, $"multiples of the alignment, {alignment}");
        var bytes = (Int128)shape.Aggregate(1L, (product, size) => product * size) / type.BlockWeights() * type.BlockBytes();
        if (bytes > long.MaxValue) throw cursor.Failure("the tensor's size overflows", shapeAt);
        return new GgufTensor(name, type, shape, (long)offset, (long)bytes);
    }

    private static long[] ParseShape(GgufCursor cursor, out long at)
    {
        at = cursor.Offset;
        var dimensions = cursor.Read<uint>("a tensor's number of dimensions");
        if (dimensions > MaxDimensions)
            throw cursor.Failure($"the tensor has {dimensions} dimensions", at, $"at most {MaxDimensions}");
        var shape = new long[dimensions];
        Int128 product = 1;
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            var size = cursor.Read<ulong>("a tensor's shape");
            product *= size;
            if (size > long.MaxValue || product > long.MaxValue) throw cursor.Failure("the tensor's number of weights overflows", at);
            shape[d] = (long)size;
        }
        return shape;
    }

    private static GgmlType ParseType(GgufCursor cursor)
    {
        var at = cursor.Offset;
        var type = cursor.Read<uint>("a tensor's type");
        if (type <= int.MaxValue && ((GgmlType)type).IsKnown()) return (GgmlType)type;
        throw cursor.Failure(
            $"the tensor's type {type} is unknown", at,
            string.Join(", ", Enum.GetValues<GgmlType>().Select(t => $"{(int)t} ({t.GgmlName()})")),
            "Convert the model to one of these types");
    }
}
