using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Safetensors;

/// <summary>Whatever is done to a valid file, it opens with every tensor inside the file, or is refused with a typed error.</summary>
public sealed class SafetensorsFuzzTests : IDisposable
{
    private const string Header =
        """{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}"""
        + ""","b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},"c":{"dtype":"I64","shape":[],"data_offsets":[22,30]}}""";

    private static readonly string[] Tokens =
    [
        "{", "}", "[", "]", ":", ",", "\"", "0", "-1", "1e3", "null", "true", "18446744073709551615", "18446744073709551616",
        "9223372036854775807", "\"a\"", "\"__metadata__\"", "\"dtype\"", "\"F32\"", "\"F4\"", "\"U8\"", "\\ud800",
        "\\u0000", " ", "\u00e9", "16", "22", "30",
    ];

    /// <summary>One change: of the header's text by tokens, of a number in it, of its length, or of the bytes of the file.</summary>
    private static readonly Gen<Func<byte[], byte[]>> GenMutation = Gen.OneOf<Func<byte[], byte[]>>(
        Gen.Select(Gen.Int[0, 400], Gen.Int[0, 12], Gen.OneOf(Tokens), Splice),
        Gen.Select(Gen.Int[0, 400], Gen.Int[1, 40], Gen.Int[0, 400], MovePart),
        Gen.Select(Gen.ULong, Gen.Bool, (n, small) => new Func<byte[], byte[]>(file => SetLength(file, small ? n % 300 : n))),
        Gen.Select(Gen.Int[0, 300], Gen.Byte, (at, value) => new Func<byte[], byte[]>(file => SetByte(file, at, value))),
        Gen.Int[0, 300].Select(length => new Func<byte[], byte[]>(file => file[..Math.Min(length, file.Length)])),
        Gen.Byte.Array[0, 20].Select(tail => new Func<byte[], byte[]>(file => [.. file, .. tail])));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_mutated_file_opens_or_is_refused()
    {
        var valid = SafetensorsBytes.Compose(Header, dataBytes: 30);
        var path = _folder.File("fuzz.safetensors");
        int opened = 0, refused = 0;
        GenMutation.Array[0, 3].Sample(
            mutations =>
            {
                File.WriteAllBytes(path, mutations.Aggregate(valid, (file, mutate) => mutate(file)));
                try
                {
                    using var file = SafetensorsFile.Open(path);
                    ReadEverything(file);
                    opened++;
                }
                catch (SafetensorsException e)
                {
                    e.Message.Length.ShouldBeLessThan(5000);
                    refused++;
                }
            },
            iter: 3000,
            threads: 1);
        opened.ShouldBeGreaterThan(0);
        refused.ShouldBeGreaterThan(0);
    }

    private static void ReadEverything(SafetensorsFile file)
    {
        foreach (var (name, entry) in file.Tensors)
        {
            (entry.Offset >= 8 && entry.Offset + entry.ByteLength <= file.ByteLength).ShouldBeTrue();
            _ = file.Bytes(name);
        }
    }

    private static Func<byte[], byte[]> Splice(int at, int removed, string inserted) => file =>
    {
        var header = HeaderOf(file, out var data);
        at = Math.Min(at, header.Length);
        removed = Math.Min(removed, header.Length - at);
        return SafetensorsBytes.Compose([.. header[..at], .. Encoding.UTF8.GetBytes(inserted), .. header[(at + removed)..]], data);
    };

    private static Func<byte[], byte[]> MovePart(int from, int length, int to) => file =>
    {
        var header = HeaderOf(file, out var data);
        from = Math.Min(from, header.Length);
        length = Math.Min(length, header.Length - from);
        to = Math.Min(to, header.Length);
        return SafetensorsBytes.Compose([.. header[..to], .. header[from..(from + length)], .. header[to..]], data);
    };

    private static byte[] HeaderOf(byte[] file, out byte[] data)
    {
        data = [];
        if (file.Length < 8) return file;
        var length = (int)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(file), (ulong)file.Length - 8);
        data = file[(8 + length)..];
        return file[8..(8 + length)];
    }

    private static byte[] SetLength(byte[] file, ulong length)
    {
        if (file.Length < 8) return file;
        var copy = file.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(copy, length);
        return copy;
    }

    private static byte[] SetByte(byte[] file, int at, byte value)
    {
        if (at >= file.Length) return file;
        var copy = file.ToArray();
        copy[at] = value;
        return copy;
    }
}
