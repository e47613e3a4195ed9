using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Meft.Core.Formats.Safetensors;

/// <summary>Composes the JSON of a header for tensors in the order in which their data follow.</summary>
internal static class SafetensorsHeaderWriter
{
    private const int Alignment = 8;

    /// <summary>The header without its length, padded with spaces to a multiple of 8 bytes.</summary>
    /// <exception cref="InvalidOperationException">It is longer than a header may be.</exception>
    public static byte[] Write(IReadOnlyDictionary<string, string> metadata, IReadOnlyList<PendingTensor> tensors)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0) WriteMetadata(json, metadata);
            long offset = 0;
            foreach (var tensor in tensors)
            {
                WriteTensor(json, tensor, offset);
                offset = checked(offset + tensor.ByteLength);
            }
            json.WriteEndObject();
        }
        buffer.Write("       "u8[..((Alignment - buffer.WrittenCount % Alignment) % Alignment)]);
        if (buffer.WrittenCount > SafetensorsHeader.MaxBytes)
        {
            throw new InvalidOperationException(
                $"the header would take {buffer.WrittenCount} bytes; the format allows {SafetensorsHeader.MaxBytes}");
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject(SafetensorsHeader.MetadataKey);
        foreach (var (key, value) in metadata) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteTensor(Utf8JsonWriter json, PendingTensor tensor, long offset)
    {
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.DType.FileName());
        json.WriteStartArray("shape");
        foreach (var size in tensor.Shape) json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(offset + tensor.ByteLength);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
