using System.Buffers.Binary;
using System.Text;

namespace Meft.Core.Tests.Formats.Safetensors;

/// <summary>Files made by hand, so that they can be wrong.</summary>
internal static class SafetensorsBytes
{
    public static byte[] Compose(string header, int dataBytes = 0) => Compose(Encoding.UTF8.GetBytes(header), new byte[dataBytes]);

    public static byte[] Compose(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. data];
    }
}
