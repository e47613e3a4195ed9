using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Meft.Core.Errors;

namespace Meft.Core.Formats.Safetensors;

/// <summary>
/// The header of a safetensors file: 8 bytes of length, little-endian, then that many bytes of JSON, then the data. Accepts what
/// the reference parser (huggingface/safetensors, tensor.rs) accepts, but refuses a name that stands twice, of which the
/// reference keeps the last: the format's description disallows it.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The bytes of the length that the header begins with.</summary>
    public const int LengthBytes = 8;

    /// <summary>The most bytes a header may have.</summary>
    public const int MaxBytes = 100_000_000;

    /// <summary>The key of the metadata, which no tensor may have.</summary>
    public const string MetadataKey = "__metadata__";

    // As the reference's JSON parser.
    private const int MaxDepth = 127;

    private SafetensorsHeader(IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, TensorEntry> tensors)
    {
        Metadata = metadata;
        Tensors = tensors;
    }

    /// <summary>The metadata; empty where the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors; offsets count from the beginning of the file.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>Reads and checks the header of a mapped file.</summary>
    /// <exception cref="SafetensorsException">The file is malformed.</exception>
    public static SafetensorsHeader Read(MappedFile file)
    {
        if (file.Length < LengthBytes)
        {
            throw new SafetensorsException(
                file.Path, SafetensorsError.HeaderTooSmall, $"the file has {file.Length} bytes", allowed: "at least 8 bytes");
        }
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span(0, LengthBytes));
        if (length > MaxBytes)
        {
            throw new SafetensorsException(
                file.Path, SafetensorsError.HeaderTooLarge, $"the header claims {length} bytes", allowed: $"at most {MaxBytes} bytes");
        }
        var dataStart = LengthBytes + (long)length;
        if (dataStart > file.Length)
        {
            throw new SafetensorsException(
                file.Path, SafetensorsError.InvalidHeaderLength, $"the header claims {length} bytes, the file has {file.Length} in all");
        }
        var json = file.Span(LengthBytes, (int)length);
        if (!Utf8.IsValid(json))
            throw new SafetensorsException(file.Path, SafetensorsError.InvalidHeader, "the header is not UTF-8");
        var declared = Parse(file.Path, json, out var metadata);
        return new SafetensorsHeader(metadata, Layout(file.Path, declared, dataStart, file.Length));
    }

    private static List<DeclaredTensor> Parse(string path, ReadOnlySpan<byte> json, out Dictionary<string, string> metadata)
    {
        metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var tensors = new List<DeclaredTensor>();
        var parser = new SafetensorsHeaderParser(path, json, MaxDepth);
        try
        {
            parser.ParseAll(metadata, tensors);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            throw new SafetensorsException(
                path, SafetensorsError.InvalidHeaderDeserialization, $"the header is not valid JSON: {JsonProblem.Of(e)}", cause: e);
        }
        return tensors;
    }

    /// <summary>Checks that the tensors, in the order of their offsets, cover the data exactly.</summary>
    private static OrderedDictionary<string, TensorEntry> Layout(string path, List<DeclaredTensor> declared, long dataStart, long fileLength)
    {
        var entries = new OrderedDictionary<string, TensorEntry>(declared.Count, StringComparer.Ordinal);
        ulong end = 0;
        foreach (var tensor in declared.OrderBy(t => t.Begin).ThenBy(t => t.End))
        {
            if (tensor.Begin != end || tensor.End < tensor.Begin)
            {
                throw new SafetensorsException(
                    path, SafetensorsError.InvalidOffset, $"data_offsets are [{tensor.Begin}, {tensor.End}]", tensor.Name,
                    $"a range that begins at {end}, where the data before it end");
            }
            var bytes = tensor.ByteLength(path);
            if (tensor.End - tensor.Begin != bytes)
            {
                throw new SafetensorsException(
                    path, SafetensorsError.TensorInvalidInfo,
                    $"data_offsets are [{tensor.Begin}, {tensor.End}], but {tensor.Describe()} takes {bytes} bytes",
                    tensor.Name);
            }
            end = tensor.End;
            // The cast may overflow in a file that is refused below.
            var offset = unchecked(dataStart + (long)tensor.Begin);
            entries.Add(tensor.Name, new TensorEntry(tensor.Name, tensor.DType, tensor.SignedShape(path), offset, (long)bytes));
        }
        if (end != (ulong)(fileLength - dataStart))
        {
            throw new SafetensorsException(
                path, SafetensorsError.MetadataIncompleteBuffer,
                $"the tensors take {end} bytes of data, the file holds {fileLength - dataStart}");
        }
        return entries;
    }
}
