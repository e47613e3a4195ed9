using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

public sealed class GgufFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2u)]
    [InlineData(3u)]
    public void Reads_every_type_of_metadata(uint version)
    {
        var bytes = new GgufBytes { Version = version }
            .Set("u8", GgufValueType.UInt8, [255])
            .Set("i8", GgufValueType.Int8, [255])
            .Set("u16", GgufValueType.UInt16, [255, 255])
            .Set("i16", GgufValueType.Int16, [255, 255])
            .Set("u32", uint.MaxValue)
            .Set("i32", GgufValueType.Int32, BitConverter.GetBytes(-7))
            .Set("f32", 1.5f)
            .Set("bool", GgufValueType.Boolean, [1])
            .Set("text", "zwölf 🙂")
            .Set("u64", GgufValueType.UInt64, BitConverter.GetBytes(ulong.MaxValue))
            .Set("i64", GgufValueType.Int64, BitConverter.GetBytes(long.MinValue))
            .Set("f64", GgufValueType.Float64, BitConverter.GetBytes(0.1))
            .Set("ints", GgufValueType.Array, GgufBytes.Array(GgufValueType.Int32, 2, BitConverter.GetBytes(1), BitConverter.GetBytes(-1)))
            .Set("bools", GgufValueType.Array, GgufBytes.Array(GgufValueType.Boolean, 2, [0], [1]))
            .Set("texts", GgufValueType.Array, GgufBytes.Array(GgufValueType.String, 2, GgufBytes.Text("a"), GgufBytes.Text("")))
            .Set("nested", GgufValueType.Array, GgufBytes.Array(GgufValueType.Array, 1, GgufBytes.Array(GgufValueType.UInt8, 1, [9])));
        using var file = Open(bytes);
        file.Version.ShouldBe((int)version);
        file.Tensors.ShouldBeEmpty();
        var metadata = file.Metadata;
        metadata.GetInteger("u8").ShouldBe(255);
        metadata.GetInteger("i8").ShouldBe(-1);
        metadata.GetInteger("u16").ShouldBe(65535);
        metadata.GetInteger("i16").ShouldBe(-1);
        metadata.GetInteger("u32").ShouldBe(uint.MaxValue);
        metadata.GetInteger("i32").ShouldBe(-7);
        metadata.GetInteger("i64").ShouldBe(long.MinValue);
        metadata.GetNumber("f32").ShouldBe(1.5);
        metadata.GetNumber("f64").ShouldBe(0.1);
        metadata.GetNumber("u8").ShouldBe(255);
        metadata.GetBoolean("bool").ShouldBeTrue();
        metadata.GetString("text").ShouldBe("zwölf 🙂");
        metadata.GetStrings("texts").ShouldBe(["a", ""]);
        metadata.Find("u64")!.Value.ShouldBe(ulong.MaxValue);
        metadata.Find("ints")!.Value.ShouldBe(new[] { 1, -1 });
        metadata.Find("bools")!.Value.ShouldBe(new[] { false, true });
        ((object[])metadata.Find("nested")!.Value)[0].ShouldBe(new byte[] { 9 });
        metadata.Find("absent").ShouldBeNull();
        metadata.Entries.Count.ShouldBe(16);
    }

    [Fact]
    public void A_metadata_value_of_another_type_is_named_with_its_place()
    {
        var bytes = new GgufBytes().Set("a", "x").Set("big", GgufValueType.UInt64, BitConverter.GetBytes(ulong.MaxValue));
        using var file = Open(bytes);
        foreach (var wrong in new Action[] { () => file.Metadata.GetInteger("a"), () => file.Metadata.GetBoolean("a") })
        {
            var error = Should.Throw<GgufException>(wrong);
            error.Name.ShouldBe("a");
            error.Offset.ShouldBe(bytes.Places["a"]);
        }
        Should.Throw<GgufException>(() => file.Metadata.GetInteger("big")).Name.ShouldBe("big");
        Should.Throw<GgufException>(() => file.Metadata.GetString("absent")).Name.ShouldBe("absent");
    }

    [Theory]
    [InlineData(32)]
    [InlineData(8)]
    [InlineData(4096)]
    public void Reads_tensors_at_any_alignment(int alignment)
    {
        var bytes = new GgufBytes { Alignment = alignment }
            .Set("general.alignment", (uint)alignment)
            .Add("a", [3], 1, 2, 3)
            .Add("b", [2, 3], 1, 2, 3, 4, 5, 6)
            .Add("h", [1, 2], GgmlType.F16, [0, 0x3C, 0, 0xC0])
            .Add("s", [], 9);
        using var file = Open(bytes);
        file.Alignment.ShouldBe((uint)alignment);
        file.ReadSingles("a").ShouldBe([1, 2, 3]);
        file.ReadSingles("b").ShouldBe([1, 2, 3, 4, 5, 6]);
        file.Tensors["b"].Shape.ShouldBe([2, 3]);
        file.ReadSingles("h").ShouldBe([1, -2]);
        file.ReadSingles("s").ShouldBe([9]);
        Should.Throw<TensorNotFoundException>(() => file.ReadSingles("c")).Tensor.ShouldBe("c");
    }

    [Fact]
    public void A_type_that_is_known_but_not_decoded_is_listed_and_refused_when_read()
    {
        using var file = Open(new GgufBytes().Add("x", [256], GgmlType.IQ1S, new byte[50]));
        file.Tensors["x"].ByteLength.ShouldBe(50);
        var error = Should.Throw<GgufException>(() => file.ReadSingles("x"));
        error.Name.ShouldBe("x");
        error.Message.ShouldContain("IQ1_S");
        error.Allowed!.ShouldContain("Q4_K");
    }

    [Fact]
    public void A_missing_file_or_a_folder_is_an_input_error()
    {
        Should.Throw<GgufException>(() => GgufFile.Open(_folder.File("absent.gguf"))).ExitCode.ShouldBe(2);
        Should.Throw<GgufException>(() => GgufFile.Open(_folder.Path)).File.ShouldBe(_folder.Path);
    }

    private GgufFile Open(GgufBytes bytes)
    {
        var path = _folder.File("x.gguf");
        File.WriteAllBytes(path, bytes.Compose());
        return GgufFile.Open(path);
    }
}
