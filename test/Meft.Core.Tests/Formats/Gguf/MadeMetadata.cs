using Meft.Core.Formats.Gguf;

namespace Meft.Core.Tests.Formats.Gguf;

/// <summary>A key, the number of a type and the bytes of a value, each of which can be wrong.</summary>
internal sealed class MadeEntry(byte[] key, uint type, byte[] value)
{
    public byte[] Key { get; set; } = key;

    /// <summary>What the file says of the key's length; null for the truth.</summary>
    public ulong? KeyLength { get; set; }

    public uint Type { get; set; } = type;

    public byte[] Value { get; set; } = value;

    public byte[] Compose() => [.. BitConverter.GetBytes(KeyLength ?? (ulong)Key.Length), .. Key, .. BitConverter.GetBytes(Type), .. Value];
}

/// <summary>A file of three to eight metadata of any types and a tensor that is known, which tells whether the metadata's end was found.</summary>
internal sealed class MadeMetadata
{
    private static readonly float[] Known = [1.5f, -2.5f, 3.25f];

    public MadeMetadata(Random random)
    {
        for (var i = random.Next(3, 9); i > 0; i--)
        {
            var type = (GgufValueType)random.Next(13);
            Entries.Add(new MadeEntry([(byte)'k', (byte)('0' + i)], (uint)type, Value(type, random, depth: 2)));
        }
    }

    public List<MadeEntry> Entries { get; } = [];

    /// <summary>What the file says is the number of metadata; null for the truth.</summary>
    public ulong? Count { get; set; }

    public Func<byte[], byte[]> Whole { get; set; } = file => file;

    /// <summary>Any entry; one that goes nowhere where other faults have left none.</summary>
    public MadeEntry Pick(Random random) => Entries.Count > 0 ? Entries[random.Next(Entries.Count)] : new MadeEntry([], 0, [0]);

    public void Put(Random random, byte[] array) => Put(random, GgufValueType.Array, array);

    public void Put(Random random, GgufValueType type, byte[] value)
    {
        var entry = Pick(random);
        (entry.Type, entry.Value) = ((uint)type, value);
    }

    public byte[] Compose()
    {
        // The head with its counts, these metadata, then the description of the tensor and its data.
        var head = new GgufBytes { TensorCount = 1, MetadataCount = Count ?? (ulong)Entries.Count }.Compose();
        List<byte> file = [.. head, .. Entries.SelectMany(e => e.Compose()), .. GgufBytes.Text("known"), .. BitConverter.GetBytes(1u), .. BitConverter.GetBytes((ulong)Known.Length)];
        file.AddRange([.. BitConverter.GetBytes((uint)GgmlType.F32), .. BitConverter.GetBytes(0ul)]);
        while (file.Count % 32 != 0) file.Add(0);
        return Whole([.. file, .. Known.SelectMany(BitConverter.GetBytes)]);
    }

    /// <summary>Opens such a file and finds the tensor.</summary>
    public static void Read(string path)
    {
        using var file = GgufFile.Open(path);
        if (file.Tensors.Count != 1 || !file.ReadSingles("known").AsSpan().SequenceEqual(Known)) throw new InvalidOperationException("what follows the metadata was read amiss");
    }

    private static byte[] Value(GgufValueType type, Random random, int depth)
    {
        if (type == GgufValueType.Boolean) return [(byte)random.Next(2)];
        if (type == GgufValueType.String) return GgufBytes.Text(new string('ä', random.Next(20)));
        if (type == GgufValueType.Array)
        {
            var element = (GgufValueType)random.Next(depth == 0 ? 9 : 13);
            var count = random.Next(4);
            return GgufBytes.Array(element, (ulong)count, [.. Enumerable.Range(0, count).Select(_ => Value(element, random, depth - 1))]);
        }
        var bytes = new byte[type switch
        {
            GgufValueType.UInt8 or GgufValueType.Int8 => 1,
            GgufValueType.UInt16 or GgufValueType.Int16 => 2,
            GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
            _ => 8,
        }];
        random.NextBytes(bytes);
        return bytes;
    }
}
