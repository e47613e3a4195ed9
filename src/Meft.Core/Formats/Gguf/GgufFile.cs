using System.Buffers.Binary;
using Meft.Core.Errors;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// A GGUF file (version 2 or 3, little-endian), mapped read-only into memory and checked before the first tensor is given out.
/// Names and shapes are the file's own; <see cref="GgufModelSource"/> presents a model as Hugging Face names it.
/// </summary>
public sealed class GgufFile : IDisposable
{
    private const uint Magic = 0x46554747; // "GGUF"
    private const uint DefaultAlignment = 32;
    private const string AlignmentKey = "general.alignment";

    private readonly MappedFile _file;

    private GgufFile(MappedFile file)
    {
        _file = file;
        var cursor = new GgufCursor(file);
        if (cursor.Read<uint>("the magic number") != Magic)
            throw cursor.Failure("the file does not begin with 'GGUF'", 0, nextStep: "Check that this is a .gguf file");
        Version = ReadVersion(cursor);
        var tensorCount = cursor.ReadCount("the number of tensors", GgufTensorParser.LeastEntryBytes);
        var metadataCount = cursor.ReadCount("the number of metadata", GgufMetadataParser.LeastEntryBytes);
        Metadata = new GgufMetadata(file.Path, GgufMetadataParser.Parse(cursor, metadataCount));
        Alignment = ReadAlignment(Metadata);
        Tensors = GgufTensorParser.Parse(cursor, tensorCount, Alignment);
    }

    /// <summary>The file's path.</summary>
    public string Path => _file.Path;

    /// <summary>The file's length in bytes.</summary>
    public long ByteLength => _file.Length;

    /// <summary>The version of the format.</summary>
    public int Version { get; }

    /// <summary>The multiple of bytes at which each tensor's data begin.</summary>
    public uint Alignment { get; }

    /// <summary>The metadata.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors by GGUF name.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="GgufException">The file cannot be read or is malformed.</exception>
    public static GgufFile Open(string path)
    {
        var file = Map(path);
        try
        {
            return new GgufFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The tensor of a name.</summary>
    /// <exception cref="TensorNotFoundException">There is none.</exception>
    public GgufTensor Tensor(string name) =>
        Tensors.TryGetValue(name, out var tensor) ? tensor : throw new TensorNotFoundException(name, Path, Tensors.Keys);

    /// <summary>A tensor's weights as float32, flattened in row-major order.</summary>
    /// <exception cref="TensorNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="InvalidInputException">Its type cannot be decoded, it has more weights than an array may have, or the file cannot be read any more.</exception>
    public float[] ReadSingles(string name)
    {
        var tensor = Tensor(name);
        RequireDecodable(tensor);
        if (tensor.ElementCount > Array.MaxLength)
        {
            throw new GgufException(
                Path, $"the tensor has {tensor.ElementCount} weights, too many for one array", tensor.Offset, name,
                $"at most {Array.MaxLength}", "Read it by rows");
        }
        var weights = GC.AllocateUninitializedArray<float>((int)tensor.ElementCount);
        var row = (int)tensor.RowWeights;
        if (weights.Length == 0) return weights;
        var blocks = new byte[RowBytes(tensor, row)];
        try
        {
            for (var i = 0; i < weights.Length / row; i++)
            {
                Read(tensor, i, row, blocks);
                BlockDecoder.ToSingles(tensor.Type, blocks, weights.AsSpan(i * row, row));
            }
        }
        catch (IOException e)
        {
            throw Unreadable(tensor, e);
        }
        return weights;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>Asks for rows before they are read; see <see cref="MappedFile.ReadAhead"/>.</summary>
    internal void ReadAhead(GgufTensor tensor, long firstRow, long rowCount, int rowWeights)
    {
        long bytes = RowBytes(tensor, rowWeights);
        _file.ReadAhead(tensor.Offset + firstRow * bytes, rowCount * bytes);
    }

    /// <summary>Reads the blocks of rows that stand behind one another, past the mapping; see <see cref="MappedFile.Read"/>.</summary>
    /// <exception cref="IOException">The file cannot be read, or has become shorter.</exception>
    internal void Read(GgufTensor tensor, long firstRow, int rowWeights, Span<byte> destination) =>
        _file.Read(tensor.Offset + firstRow * RowBytes(tensor, rowWeights), destination);

    /// <summary>The error of a tensor whose blocks cannot be read.</summary>
    internal GgufException Unreadable(GgufTensor tensor, IOException e) => new(Path, $"the file cannot be read: {e.Message}", tensor.Offset, tensor.Name, cause: e);

    /// <summary>Bytes of a row, where a row is so many weights: a whole number of blocks.</summary>
    internal static int RowBytes(GgufTensor tensor, int rowWeights) =>
        checked((int)((long)rowWeights / tensor.Type.BlockWeights() * tensor.Type.BlockBytes()));

    /// <summary>Refuses a tensor that cannot be decoded.</summary>
    internal void RequireDecodable(GgufTensor tensor)
    {
        if (!BlockDecoder.Knows(tensor.Type))
        {
            throw new GgufException(
                Path, $"blocks of type {tensor.Type.GgmlName()} cannot be decoded", tensor.Offset, tensor.Name, BlockDecoder.KnownNames,
                "Convert the model to one of these types");
        }
        if (tensor.RowBytes > int.MaxValue || tensor.RowWeights > int.MaxValue)
        {
            throw new GgufException(
                Path, $"a row has {tensor.RowWeights} weights", tensor.Offset, tensor.Name, $"at most {int.MaxValue} bytes");
        }
    }

    private static int ReadVersion(GgufCursor cursor)
    {
        var at = cursor.Offset;
        var version = cursor.Read<uint>("the version");
        if (version is 2 or 3) return (int)version;
        var swapped = BinaryPrimitives.ReverseEndianness(version) is 2 or 3;
        throw cursor.Failure(
            swapped ? "the file is big-endian" : $"the file is of GGUF version {version}", at, "version 2 or 3, little-endian",
            "Convert the model again with a current converter");
    }

    private static uint ReadAlignment(GgufMetadata metadata)
    {
        if (!metadata.Contains(AlignmentKey)) return DefaultAlignment;
        var alignment = metadata.GetInteger(AlignmentKey);
        if (alignment is > 0 and <= 1 << 30 && (alignment & alignment - 1) == 0) return (uint)alignment;
        throw metadata.Failure(AlignmentKey, $"the alignment is {alignment}", "a power of two");
    }

    private static MappedFile Map(string path)
    {
        try
        {
            return MappedFile.Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new GgufException(
                path, $"the file cannot be read: {e.Message}", nextStep: "Check the path and the permissions", cause: e);
        }
    }
}
