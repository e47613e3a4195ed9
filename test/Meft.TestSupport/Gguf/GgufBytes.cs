using System.Text;
using Meft.Core.Formats.Gguf;

namespace Meft.TestSupport.Gguf;

/// <summary>Composes GGUF files; every part can be made wrong. Records where each part begins.</summary>
public sealed class GgufBytes
{
    private readonly List<(string Key, GgufValueType Type, byte[] Value)> _metadata = [];
    private readonly List<(string Name, ulong[] FileShape, uint Type, byte[] Data, ulong? Offset)> _tensors = [];

    /// <summary>The first four bytes as a number.</summary>
    public uint Magic { get; set; } = 0x46554747;

    /// <summary>The format's version.</summary>
    public uint Version { get; set; } = 3;

    /// <summary>The multiple of bytes at which data begin.</summary>
    public int Alignment { get; set; } = 32;

    /// <summary>What the file says is the number of tensors; null for the true one.</summary>
    public ulong? TensorCount { get; set; }

    /// <summary>What the file says is the number of metadata; null for the true one.</summary>
    public ulong? MetadataCount { get; set; }

    /// <summary>The offset of each key's value and of each tensor's description in the file composed last.</summary>
    public Dictionary<string, long> Places { get; } = new(StringComparer.Ordinal);

    /// <summary>A string with its length.</summary>
    public static byte[] Text(string text) => Text(Encoding.UTF8.GetBytes(text));

    /// <summary>Bytes with their length.</summary>
    public static byte[] Text(byte[] utf8) => [.. BitConverter.GetBytes((ulong)utf8.Length), .. utf8];

    /// <summary>An array with its type and number.</summary>
    public static byte[] Array(GgufValueType type, ulong count, params byte[][] values) =>
        [.. BitConverter.GetBytes((uint)type), .. BitConverter.GetBytes(count), .. values.SelectMany(v => v)];

    /// <summary>Sets a metadata value.</summary>
    public GgufBytes Set(string key, GgufValueType type, byte[] value)
    {
        _metadata.Add((key, type, value));
        return this;
    }

    /// <summary>Sets a text.</summary>
    public GgufBytes Set(string key, string value) => Set(key, GgufValueType.String, Text(value));

    /// <summary>Sets a number.</summary>
    public GgufBytes Set(string key, uint value) => Set(key, GgufValueType.UInt32, BitConverter.GetBytes(value));

    /// <summary>Sets a number.</summary>
    public GgufBytes Set(string key, float value) => Set(key, GgufValueType.Float32, BitConverter.GetBytes(value));

    /// <summary>Sets a truth value.</summary>
    public GgufBytes Set(string key, bool value) => Set(key, GgufValueType.Boolean, [value ? (byte)1 : (byte)0]);

    /// <summary>Sets an array of texts.</summary>
    public GgufBytes Set(string key, IReadOnlyCollection<string> values) =>
        Set(key, GgufValueType.Array, Array(GgufValueType.String, (ulong)values.Count, [.. values.Select(Text)]));

    /// <summary>Sets an array of numbers.</summary>
    public GgufBytes Set(string key, IReadOnlyCollection<int> values) =>
        Set(key, GgufValueType.Array, Array(GgufValueType.Int32, (ulong)values.Count, [.. values.Select(BitConverter.GetBytes)]));

    /// <summary>Sets an array of numbers.</summary>
    public GgufBytes Set(string key, IReadOnlyCollection<float> values) =>
        Set(key, GgufValueType.Array, Array(GgufValueType.Float32, (ulong)values.Count, [.. values.Select(BitConverter.GetBytes)]));

    /// <summary>The metadata's keys.</summary>
    public IEnumerable<string> Keys => _metadata.Select(entry => entry.Key);

    /// <summary>Takes a tensor away.</summary>
    public GgufBytes Without(string tensor)
    {
        _tensors.RemoveAll(entry => entry.Name == tensor);
        return this;
    }

    /// <summary>Takes a metadata value away.</summary>
    public GgufBytes Remove(string key)
    {
        _metadata.RemoveAll(entry => entry.Key == key);
        return this;
    }

    /// <summary>Adds a tensor; the shape is given in the order of this project, the last dimension contiguous.</summary>
    public GgufBytes Add(string name, long[] shape, GgmlType type, byte[] data, ulong? offset = null) =>
        AddRaw(name, [.. shape.Reverse().Select(s => (ulong)s)], (uint)type, data, offset);

    /// <summary>Adds a tensor of float32.</summary>
    public GgufBytes Add(string name, long[] shape, params float[] values) =>
        Add(name, shape, GgmlType.F32, [.. values.SelectMany(BitConverter.GetBytes)]);

    /// <summary>Adds a tensor; the shape is given in the file's own order.</summary>
    public GgufBytes AddRaw(string name, ulong[] fileShape, uint type, byte[] data, ulong? offset = null)
    {
        _tensors.Add((name, fileShape, type, data, offset));
        return this;
    }

    /// <summary>The file.</summary>
    public byte[] Compose()
    {
        var stream = new MemoryStream();
        var writer = new BinaryWriter(stream);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(TensorCount ?? (ulong)_tensors.Count);
        writer.Write(MetadataCount ?? (ulong)_metadata.Count);
        foreach (var (key, type, value) in _metadata)
        {
            writer.Write(Text(key));
            writer.Write((uint)type);
            Places[key] = stream.Position;
            writer.Write(value);
        }
        long next = 0;
        foreach (var (name, shape, type, data, offset) in _tensors)
        {
            Places[name] = stream.Position;
            writer.Write(Text(name));
            writer.Write((uint)shape.Length);
            foreach (var size in shape) writer.Write(size);
            writer.Write(type);
            writer.Write(offset ?? (ulong)next);
            next = Align(next + data.Length);
        }
        foreach (var tensor in _tensors)
        {
            while (stream.Position % Alignment != 0) writer.Write((byte)0);
            writer.Write(tensor.Data);
        }
        return stream.ToArray();
    }

    private long Align(long position) => (position + Alignment - 1) / Alignment * Alignment;
}
