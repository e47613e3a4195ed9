namespace Meft.Core.Formats.Gguf;

/// <summary>Reads the metadata of a file: a key, a type and a value each.</summary>
internal static class GgufMetadataParser
{
    /// <summary>A key (length), a type and one byte of value at least.</summary>
    public const int LeastEntryBytes = 8 + 4 + 1;

    // Arrays of arrays are allowed by the format; nobody writes deeper ones.
    private const int MaxArrayDepth = 4;

    /// <summary>Reads so many entries.</summary>
    /// <exception cref="GgufException">The metadata are malformed.</exception>
    public static Dictionary<string, GgufMetadataEntry> Parse(GgufCursor cursor, int count)
    {
        var entries = new Dictionary<string, GgufMetadataEntry>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            cursor.Subject = null;
            var at = cursor.Offset;
            var key = cursor.ReadString($"metadata key {i}");
            cursor.Subject = key;
            var type = ReadType(cursor);
            var valueAt = cursor.Offset;
            var entry = new GgufMetadataEntry(key, type, ReadValue(cursor, type, MaxArrayDepth), valueAt);
            if (!entries.TryAdd(key, entry)) throw cursor.Failure("the metadata key stands twice", at);
        }
        cursor.Subject = null;
        return entries;
    }

    private static GgufValueType ReadType(GgufCursor cursor)
    {
        var at = cursor.Offset;
        var type = cursor.Read<uint>("a metadata type");
        if (type <= (uint)GgufValueType.Float64) return (GgufValueType)type;
        throw cursor.Failure($"the metadata type {type} is unknown", at, $"0 to {(int)GgufValueType.Float64}");
    }

    private static object ReadValue(GgufCursor cursor, GgufValueType type, int depth) => type switch
    {
        GgufValueType.UInt8 => cursor.Read<byte>("a metadata value"),
        GgufValueType.Int8 => cursor.Read<sbyte>("a metadata value"),
        GgufValueType.UInt16 => cursor.Read<ushort>("a metadata value"),
        GgufValueType.Int16 => cursor.Read<short>("a metadata value"),
        GgufValueType.UInt32 => cursor.Read<uint>("a metadata value"),
        GgufValueType.Int32 => cursor.Read<int>("a metadata value"),
        GgufValueType.Float32 => cursor.Read<float>("a metadata value"),
        GgufValueType.Boolean => ReadBoolean(cursor),
        GgufValueType.String => cursor.ReadString("a metadata string"),
        GgufValueType.UInt64 => cursor.Read<ulong>("a metadata value"),
        GgufValueType.Int64 => cursor.Read<long>("a metadata value"),
        GgufValueType.Float64 => cursor.Read<double>("a metadata value"),
        _ => ReadArray(cursor, depth),
    };

    private static bool ReadBoolean(GgufCursor cursor)
    {
        var at = cursor.Offset;
        var value = cursor.Read<byte>("a metadata value");
        return value <= 1 ? value == 1 : throw cursor.Failure($"a boolean has the value {value}", at, "0 or 1");
    }

    private static Array ReadArray(GgufCursor cursor, int depth)
    {
        var at = cursor.Offset;
        if (depth == 0) throw cursor.Failure($"arrays are nested more than {MaxArrayDepth} deep", at);
        var type = ReadType(cursor);
        var count = cursor.ReadCount("the length of an array", LeastBytes(type));
        const string What = "an array";
        return type switch
        {
            GgufValueType.UInt8 => cursor.ReadArray<byte>(count, What),
            GgufValueType.Int8 => cursor.ReadArray<sbyte>(count, What),
            GgufValueType.UInt16 => cursor.ReadArray<ushort>(count, What),
            GgufValueType.Int16 => cursor.ReadArray<short>(count, What),
            GgufValueType.UInt32 => cursor.ReadArray<uint>(count, What),
            GgufValueType.Int32 => cursor.ReadArray<int>(count, What),
            GgufValueType.Float32 => cursor.ReadArray<float>(count, What),
            GgufValueType.UInt64 => cursor.ReadArray<ulong>(count, What),
            GgufValueType.Int64 => cursor.ReadArray<long>(count, What),
            GgufValueType.Float64 => cursor.ReadArray<double>(count, What),
            GgufValueType.Boolean => Fill(count, () => ReadBoolean(cursor)),
            GgufValueType.String => Fill(count, () => cursor.ReadString("a string of an array")),
            _ => Fill(count, () => ReadArray(cursor, depth - 1)),
        };
    }

    private static T[] Fill<T>(int count, Func<T> read)
    {
        var values = new T[count];
        for (var i = 0; i < count; i++) values[i] = read();
        return values;
    }

    private static int LeastBytes(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Boolean => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.Array => 4 + 8,
        _ => 8,
    };
}
