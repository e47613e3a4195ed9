using System.Text;
using Meft.Core.Formats.Gguf;

namespace Meft.Core.Tests.Formats.Gguf;

/// <summary>Composes GGUF files; every part can be made wrong. Records where each part begins.</summary>
internal sealed class GgufBytes
{
    private readonly List<(string Key, GgufValueType Type, byte[] Value)> _metadata = [];
    private readonly List<(string Name, ulong[] FileShape, uint Type, byte[] Data, ulong? Offset)> _tensors = [];

    public uint Magic { get; set; } = 0x46554747;

    public uint Version { get; set; } = 3;

    public int Alignment { get; set; } = 32;

    public ulong? TensorCount { get; set; }

    public ulong? MetadataCount { get; set; }

    /// <summary>The offset of each key's value and of each tensor's description in the file composed last.</summary>
    public Dictionary<string, long> Places { get; } = new(StringComparer.Ordinal);

    public static byte[] Text(string text) => Text(Encoding.UTF8.GetBytes(text));

    public static byte[] Text(byte[] utf8) => [.. BitConverter.GetBytes((ulong)utf8.Length), .. utf8];

    public static byte[] Array(GgufValueType type, ulong count, params byte[][] values) =>
        [.. BitConverter.GetBytes((uint)type), .. BitConverter.GetBytes(count), .. values.SelectMany(v => v)];

    public GgufBytes Set(string key, GgufValueType type, byte[] value)
    {
        _metadata.Add((key, type, value));
        return this;
    }

    public GgufBytes Set(string key, string value) => Set(key, GgufValueType.String, Text(value));

    public GgufBytes Set(string key, uint value) => Set(key, GgufValueType.UInt32, BitConverter.GetBytes(value));

    public GgufBytes Set(string key, float value) => Set(key, GgufValueType.Float32, BitConverter.GetBytes(value));

    /// <summary>Adds a tensor; the shape is given in the order of this project, the last dimension contiguous.</summary>
    public GgufBytes Add(string name, long[] shape, GgmlType type, byte[] data, ulong? offset = null) =>
        AddRaw(name, [.. shape.Reverse().Select(s => (ulong)s)], (uint)type, data, offset);

    public GgufBytes Add(string name, long[] shape, params float[] values) =>
        Add(name, shape, GgmlType.F32, [.. values.SelectMany(BitConverter.GetBytes)]);

    public GgufBytes AddRaw(string name, ulong[] fileShape, uint type, byte[] data, ulong? offset = null)
    {
        _tensors.Add((name, fileShape, type, data, offset));
        return this;
    }

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
