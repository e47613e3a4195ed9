using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Meft.Core.Storage;

namespace Meft.Core.Formats.Safetensors;

/// <summary>
/// Writes a safetensors file. Tensors are named first; their data are fetched, one tensor after the other and without a copy in
/// memory, when the file is saved. Layout as the reference writer's: by descending alignment of the type, then by name; the
/// header is padded with spaces so that the data begin at a multiple of 8 bytes. Same tensors, same bytes.
/// </summary>
public sealed class SafetensorsWriter
{
    private const int ChunkBytes = 1 << 24;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, PendingTensor> _tensors = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);

    /// <summary>Sets an entry of the file's metadata (<c>__metadata__</c>).</summary>
    /// <exception cref="ArgumentException">Key or value is not valid Unicode.</exception>
    public void SetMetadata(string key, string value)
    {
        _ = StrictUtf8.GetByteCount(key) + StrictUtf8.GetByteCount(value);
        _metadata[key] = value;
    }

    /// <summary>Adds a tensor whose data a callback writes.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="dtype">The element type.</param>
    /// <param name="shape">The sizes of the dimensions; empty for a scalar.</param>
    /// <param name="writeData">Writes exactly the bytes that type and shape take, in row-major order, little-endian.</param>
    /// <exception cref="ArgumentException">The name is taken, reserved or not valid Unicode, or the shape has no size in bytes.</exception>
    public void Add(string name, TensorDType dtype, IReadOnlyList<long> shape, Action<Stream> writeData)
    {
        _ = StrictUtf8.GetByteCount(name);
        if (name == SafetensorsHeader.MetadataKey) throw new ArgumentException($"'{name}' is reserved for the metadata", nameof(name));
        if (!dtype.TryByteLength(shape, out var byteLength))
        {
            throw new ArgumentException(
                $"tensor '{name}' of type {dtype.FileName()} and shape [{string.Join(", ", shape)}] has no size in bytes", nameof(shape));
        }
        if (!_tensors.TryAdd(name, new PendingTensor(name, dtype, [.. shape], byteLength, writeData)))
            throw new ArgumentException($"there is a tensor '{name}' already", nameof(name));
    }

    /// <summary>Adds a tensor that lies in memory, which must stay as it is until the file is saved.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="dtype">The element type.</param>
    /// <param name="shape">The sizes of the dimensions; empty for a scalar.</param>
    /// <param name="data">The address of the data, row-major.</param>
    /// <param name="byteLength">The bytes that lie there; must be what type and shape take.</param>
    /// <param name="owner">Whose memory it is; kept until the file is saved.</param>
    /// <exception cref="ArgumentException">As the other overload; or the length is another.</exception>
    public unsafe void Add(string name, TensorDType dtype, IReadOnlyList<long> shape, nint data, long byteLength, object owner)
    {
        if (!dtype.TryByteLength(shape, out var wanted) || wanted != byteLength)
            throw new ArgumentException($"tensor '{name}' does not take {byteLength} bytes", nameof(byteLength));
        Add(name, dtype, shape, stream =>
        {
            for (long done = 0; done < byteLength; done += ChunkBytes)
                stream.Write(new ReadOnlySpan<byte>((byte*)data + done, (int)Math.Min(ChunkBytes, byteLength - done)));
            GC.KeepAlive(owner);
        });
    }

    /// <summary>Adds a float32 tensor.</summary>
    /// <exception cref="ArgumentException">As the other overloads.</exception>
    public void Add(string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values)
    {
        if (!TensorDType.F32.TryByteLength(shape, out var wanted) || wanted != (long)values.Length * sizeof(float))
            throw new ArgumentException($"tensor '{name}' does not have {values.Length} values", nameof(values));
        Add(name, TensorDType.F32, shape, stream =>
        {
            for (var done = 0; done < values.Length; done += ChunkBytes / sizeof(float))
            {
                var chunk = values.Span.Slice(done, Math.Min(ChunkBytes / sizeof(float), values.Length - done));
                stream.Write(MemoryMarshal.AsBytes(chunk));
            }
        });
    }

    /// <summary>Writes the file, atomically (<see cref="AtomicFile"/>).</summary>
    /// <exception cref="DiskFullException">The disk is full.</exception>
    /// <exception cref="Errors.RunFailedException">The file cannot be written for another reason.</exception>
    /// <exception cref="InvalidOperationException">
    /// A callback wrote another number of bytes than its tensor takes; or the names take more than a header may.
    /// </exception>
    public void Save(string path) => Prepare((bytes, write) => AtomicFile.Write(path, write, bytes));

    /// <summary>Hands the file's length and what writes it to someone who knows where it goes.</summary>
    /// <param name="save">Is given the bytes in all, and the action that writes them to a stream from its beginning to its end.</param>
    /// <exception cref="InvalidOperationException">The names take more than a header may; or, when writing, as <see cref="Save"/>.</exception>
    public void Prepare(Action<long, Action<Stream>> save)
    {
        var ordered = _tensors.Values.OrderByDescending(t => t.DType).ThenBy(t => t.Name, StringComparer.Ordinal).ToList();
        var header = SafetensorsHeaderWriter.Write(_metadata, ordered);
        var total = ordered.Aggregate(SafetensorsHeader.LengthBytes + (long)header.Length, (sum, t) => checked(sum + t.ByteLength));
        save(total, file => WriteAll(file, header, ordered));
    }

    private static void WriteAll(Stream file, byte[] header, List<PendingTensor> ordered)
    {
        Span<byte> length = stackalloc byte[SafetensorsHeader.LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);
        foreach (var tensor in ordered)
        {
            using var data = new TensorDataStream(file, tensor.Name, tensor.ByteLength);
            tensor.WriteData(data);
            data.Complete();
        }
    }
}
