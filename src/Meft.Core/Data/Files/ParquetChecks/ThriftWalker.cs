namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>
/// Goes over a struct in Thrift's compact protocol (doc/specs/thrift-compact-protocol.md of apache/thrift) and holds it against its layout:
/// afterwards a reader that believes every kind and length it meets ends where the walk ended and takes no more memory than the bytes explain.
/// </summary>
/// <param name="stream">The file, standing where the struct begins.</param>
/// <param name="bytes">The bytes that may belong to it.</param>
/// <param name="onNumber">Told the whole numbers and truth values (0, 1) of known fields: struct, field, value.</param>
/// <param name="onStruct">Told of every struct before its fields.</param>
internal sealed class ThriftWalker(Stream stream, long bytes, Action<ThriftLayout, int, long> onNumber, Action<ThriftLayout>? onStruct = null)
{
    private const int MaxVarInt32Bytes = 5, MaxVarInt64Bytes = 10, DoubleBytes = 8;

    /// <summary>The bytes that have not been read.</summary>
    public long Left { get; private set; } = bytes;

    /// <summary>Goes over one struct. Its fields must ascend, as all writers write them; layouts have no cycles, so that depth is bounded.</summary>
    /// <exception cref="InvalidDataException">It is not built like this, or does not end within the bytes.</exception>
    public void Walk(ThriftLayout layout)
    {
        onStruct?.Invoke(layout);
        for (short field = 0; Byte() is var header and not 0;)
        {
            var next = header >> 4 == 0 ? (short)ZigZag(VarInt(MaxVarInt32Bytes)) : (short)(field + (header >> 4));
            if (next <= field) throw new InvalidDataException("the fields of its description do not ascend");
            field = next;
            var kind = (ThriftKind)(header & 0xF);
            var type = layout.Find(field);
            if (type is null) SkipUnknown(kind);
            else if (kind is ThriftKind.True or ThriftKind.False && type.Kind == ThriftKind.True) onNumber(layout, field, kind == ThriftKind.True ? 1 : 0);
            else if (kind != type.Kind) throw OfAnotherKind();
            else if (Value(type) is { } number) onNumber(layout, field, number);
        }
    }

    private long? Value(ThriftType type)
    {
        switch (type.Kind)
        {
            case ThriftKind.I8:
                return (sbyte)Byte();
            case ThriftKind.I16:
                return (short)ZigZag(VarInt(MaxVarInt32Bytes));
            case ThriftKind.I32:
                return (int)ZigZag(VarInt(MaxVarInt32Bytes));
            case ThriftKind.I64:
                return ZigZag(VarInt(MaxVarInt64Bytes));
            case ThriftKind.Double:
                Skip(DoubleBytes);
                return null;
            case ThriftKind.Binary:
                Skip(VarInt(MaxVarInt32Bytes));
                return null;
            case ThriftKind.List:
                Items(type.Item!);
                return null;
            case ThriftKind.Struct:
                Walk(type.Layout!);
                return null;
            default:
                throw OfAnotherKind();
        }
    }

    private void Items(ThriftType item)
    {
        var header = Byte();
        var count = header >> 4 == 0xF ? VarInt(MaxVarInt32Bytes) : (ulong)header >> 4;
        if (count > (ulong)Left) throw new InvalidDataException($"a list of {count} items is longer than its description of itself");
        if (count > 0 && (ThriftKind)(header & 0xF) != item.Kind) throw OfAnotherKind();
        for (; count > 0; count--) Value(item);
    }

    /// <summary>A field of a later format: the library skips values that hold no others, and goes astray in the others.</summary>
    private void SkipUnknown(ThriftKind kind)
    {
        if (kind is ThriftKind.True or ThriftKind.False) return;
        if (kind is not (ThriftKind.List or ThriftKind.Struct)) Value(new ThriftType(kind));
        else if (Byte() != 0) throw new InvalidDataException("its description has a part that only later versions of the format know"); // 0 is an empty one
    }

    private byte Byte()
    {
        if (Left <= 0 || stream.ReadByte() is not (>= 0 and var value)) throw new InvalidDataException("its description of itself has no end");
        Left--;
        return (byte)value;
    }

    private void Skip(ulong count)
    {
        if (count > (ulong)Left) throw new InvalidDataException($"a value of {count} bytes is longer than its description of itself");
        stream.Seek((long)count, SeekOrigin.Current);
        Left -= (long)count;
    }

    private ulong VarInt(int maxBytes)
    {
        var value = 0UL;
        for (var i = 0; i < maxBytes; i++)
        {
            var part = Byte();
            value |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80) return maxBytes == MaxVarInt32Bytes ? (uint)value : value;
        }
        throw new InvalidDataException("a number of its description has no end");
    }

    private static long ZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    private static InvalidDataException OfAnotherKind() => new("a part of its description is of another kind than the format says");
}
