using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Safetensors;

public sealed class SafetensorsWriterTests : IDisposable
{
    private static readonly Gen<string> GenText =
        Gen.OneOf(
            Gen.String[Gen.Char[' ', '~'], 0, 12], Gen.String[Gen.Char['\0', '\u02FF'], 0, 12],
            Gen.OneOf("层.权重", "\"\\\n", "🙂"));

    private static readonly Gen<(string Name, TensorDType DType, long[] Shape)[]> GenTensors =
        Gen.Select(
                GenText.Where(t => t != "__metadata__"), Gen.Enum<TensorDType>(), Gen.Long[0, 5].Array[0, 4],
                (name, dtype, shape) => (Name: name, DType: dtype, Shape: shape))
            .Where(t => t.DType.TryByteLength(t.Shape, out _))
            .Array[0, 6]
            .Select(all => all.DistinctBy(t => t.Name).ToArray());

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_written_is_read_back()
    {
        Gen.Select(GenTensors, Gen.Dictionary(GenText, GenText)[0, 3], Gen.Int).Sample(
            (tensors, metadata, seed) =>
            {
                var random = new Random(seed);
                var data = tensors.ToDictionary(t => t.Name, t => RandomBytes(random, t.DType, t.Shape));
                var writer = new SafetensorsWriter();
                foreach (var (key, value) in metadata) writer.SetMetadata(key, value);
                foreach (var (name, dtype, shape) in tensors) writer.Add(name, dtype, shape, s => s.Write(data[name]));
                var path = _folder.File("round.safetensors");
                writer.Save(path);

                using var file = SafetensorsFile.Open(path);
                file.Metadata.ShouldBe(metadata, ignoreOrder: true);
                file.Tensors.Count.ShouldBe(tensors.Length);
                foreach (var (name, dtype, shape) in tensors)
                {
                    file.Tensors[name].DType.ShouldBe(dtype);
                    file.Tensors[name].Shape.ShouldBe(shape);
                    file.Bytes(name).ShouldBe(data[name]);
                }
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public void Lays_a_file_out_as_the_reference_writer()
    {
        var writer = new SafetensorsWriter();
        writer.Add("b", [1], new float[] { 2 });
        writer.Add("c", TensorDType.F16, [2], s => s.Write([1, 2, 3, 4]));
        writer.Add("a", [], new float[] { 1 });
        writer.Add("d", TensorDType.F64, [0], _ => { });
        writer.SetMetadata("format", "pt");
        var path = _folder.File("x");
        writer.Save(path);

        var bytes = File.ReadAllBytes(path);
        const string Json =
            """{"__metadata__":{"format":"pt"},"d":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}"""
            + ""","a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}"""
            + ""","c":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}""";
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        length.ShouldBe((Json.Length + 7) / 8 * 8);
        Encoding.UTF8.GetString(bytes, 8, length).ShouldBe(Json.PadRight(length));
        bytes[(8 + length)..].ShouldBe([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 1, 2, 3, 4]);
    }

    [Fact]
    public unsafe void Writes_from_foreign_memory_across_chunks()
    {
        const int Count = (1 << 24) + 5;
        var values = GC.AllocateUninitializedArray<byte>(Count, pinned: true);
        new Random(1).NextBytes(values);
        var writer = new SafetensorsWriter();
        fixed (byte* data = values)
        {
            writer.Add("x", TensorDType.U8, [Count], (nint)data, Count, values);
            writer.Add("f", [Count / 4], new float[Count / 4]);
            writer.Save(_folder.File("x"));
        }
        using var file = SafetensorsFile.Open(_folder.File("x"));
        file.Bytes("x").AsSpan().SequenceEqual(values).ShouldBeTrue();
        file.Tensors["f"].ByteLength.ShouldBe(Count / 4 * 4);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void A_wrong_number_of_bytes_leaves_no_file(int bytes)
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", TensorDType.F32, [1], s => s.Write(new byte[bytes]));
        Should.Throw<InvalidOperationException>(() => writer.Save(_folder.File("x"))).Message.ShouldContain("'a'");
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void Refuses_what_would_not_be_read_back()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", [1], new float[1]);
        Should.Throw<ArgumentException>(() => writer.Add("a", [1], new float[1]));
        Should.Throw<ArgumentException>(() => writer.Add("__metadata__", [1], new float[1]));
        Should.Throw<ArgumentException>(() => writer.Add("\ud800", [1], new float[1]));
        Should.Throw<ArgumentException>(() => writer.SetMetadata("k", "\udc00"));
        Should.Throw<ArgumentException>(() => writer.Add("b", [2], new float[1]));
        Should.Throw<ArgumentException>(() => writer.Add("b", TensorDType.F32, [-1], _ => { }));
        Should.Throw<ArgumentException>(() => writer.Add("b", TensorDType.F4, [1], _ => { }));
        Should.Throw<ArgumentException>(() => writer.Add("b", TensorDType.F32, [1], 0, 5, writer));
    }

    [Fact]
    public void A_tensor_larger_than_the_disk_is_refused_before_anything_is_written()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", TensorDType.U8, [1L << 60], _ => throw new InvalidOperationException("must not be asked"));
        var error = Should.Throw<RunFailedException>(() => writer.Save(_folder.File("x")));
        error.Message.ShouldContain((1L << 60).ToString()[..6]);
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    private static byte[] RandomBytes(Random random, TensorDType dtype, long[] shape)
    {
        dtype.TryByteLength(shape, out var length).ShouldBeTrue();
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
