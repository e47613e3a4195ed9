using Meft.Core.Formats.Gguf;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

/// <summary>Malformed files are refused with the name and the byte of what is wrong.</summary>
public sealed class GgufMalformedTests : IDisposable
{
    private const int AfterCounts = 24;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_empty_file() => Refusal([]).Offset.ShouldBe(0);

    [Fact]
    public void Another_magic_number() => Refusal(new GgufBytes { Magic = 1 }).Offset.ShouldBe(0);

    [Theory]
    [InlineData(1u, "version 1")]
    [InlineData(4u, "version 4")]
    [InlineData(0x03000000u, "big-endian")]
    public void Another_version(uint version, string words)
    {
        var error = Refusal(new GgufBytes { Version = version });
        error.Offset.ShouldBe(4);
        error.Message.ShouldContain(words);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1_000_000_000ul)]
    public void More_tensors_or_metadata_than_the_file_can_hold(ulong count)
    {
        Refusal(new GgufBytes { TensorCount = count }).Offset.ShouldBe(8);
        Refusal(new GgufBytes { MetadataCount = count }).Offset.ShouldBe(16);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(100ul)]
    public void A_string_or_array_longer_than_the_file(ulong length)
    {
        var text = new GgufBytes().Set("k", GgufValueType.String, BitConverter.GetBytes(length));
        Refusal(text, "k").Offset.ShouldBe(text.Places["k"]);
        foreach (var type in Enum.GetValues<GgufValueType>())
        {
            var array = new GgufBytes().Set("k", GgufValueType.Array, GgufBytes.Array(type, length));
            Refusal(array, "k").Offset.ShouldBe(array.Places["k"] + 4);
        }
    }

    [Fact]
    public void Values_that_are_not_of_their_type()
    {
        var boolean = new GgufBytes().Set("k", GgufValueType.Boolean, [2]);
        Refusal(boolean, "k").Offset.ShouldBe(boolean.Places["k"]);
        var type = new GgufBytes().Set("k", (GgufValueType)13, [0]);
        Refusal(type, "k").Offset.ShouldBe(type.Places["k"] - 4);
        var element = new GgufBytes().Set("k", GgufValueType.Array, GgufBytes.Array((GgufValueType)99, 0));
        Refusal(element, "k").Offset.ShouldBe(element.Places["k"]);
        var text = new GgufBytes().Set("k", GgufValueType.String, GgufBytes.Text([(byte)'a', 0xFF]));
        Refusal(text, "k").Offset.ShouldBe(text.Places["k"] + 8 + 1);
    }

    [Fact]
    public void Arrays_nested_without_end()
    {
        var value = GgufBytes.Array(GgufValueType.UInt8, 0);
        for (var depth = 0; depth < 1000; depth++) value = GgufBytes.Array(GgufValueType.Array, 1, value);
        Refusal(new GgufBytes().Set("k", GgufValueType.Array, value), "k").Message.ShouldContain("nested");
    }

    [Fact]
    public void A_key_or_a_tensor_that_stands_twice()
    {
        var metadata = Refusal(new GgufBytes().Set("k", 1u).Set("k", 2u), "k");
        metadata.Offset.ShouldBe(AfterCounts + 8 + 1 + 4 + 4);
        var tensors = new GgufBytes().Add("t", [1], 1).Add("t", [1], 2);
        Refusal(tensors, "t").Offset.ShouldBe(tensors.Places["t"]);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(24u)]
    [InlineData(uint.MaxValue)]
    public void An_alignment_that_is_no_power_of_two(uint alignment)
    {
        var bytes = new GgufBytes().Set("general.alignment", alignment);
        Refusal(bytes, "general.alignment").Offset.ShouldBe(bytes.Places["general.alignment"]);
    }

    [Fact]
    public void A_tensor_with_five_dimensions()
    {
        var bytes = new GgufBytes().Add("t", [1, 1, 1, 1, 1], 1);
        Refusal(bytes, "t").Offset.ShouldBe(bytes.Places["t"] + 8 + 1);
    }

    [Theory]
    [InlineData(ulong.MaxValue, 1ul)]
    [InlineData(1ul << 32, 1ul << 32)]
    [InlineData(1ul << 62, 1ul)]
    public void A_tensor_whose_size_overflows_or_exceeds_the_file(ulong first, ulong second)
    {
        var bytes = new GgufBytes().AddRaw("t", [first, second], (uint)GgmlType.F64, new byte[8]);
        Refusal(bytes, "t").Offset!.Value.ShouldBeInRange(bytes.Places["t"], bytes.Places["t"] + 13);
    }

    [Theory]
    [InlineData(4u)]
    [InlineData(5u)]
    [InlineData(1000u)]
    [InlineData(uint.MaxValue)]
    public void A_tensor_of_an_unknown_type(uint type)
    {
        var bytes = new GgufBytes().AddRaw("t", [32], type, new byte[64]);
        var error = Refusal(bytes, "t");
        error.Offset.ShouldBe(bytes.Places["t"] + 8 + 1 + 4 + 8);
        error.Message.ShouldContain($"type {type}");
    }

    [Fact]
    public void A_row_that_is_not_a_whole_number_of_blocks()
    {
        var error = Refusal(new GgufBytes().Add("t", [32, 33], GgmlType.Q40, new byte[18 * 33]), "t");
        error.Message.ShouldContain("33 weights");
        error.Message.ShouldContain("Q4_0");
    }

    [Theory]
    [InlineData(1ul)]
    [InlineData(1ul << 63)]
    [InlineData(ulong.MaxValue - 31)]
    [InlineData(1ul << 40)]
    public void A_tensor_out_of_place(ulong offset) => Refusal(new GgufBytes().Add("t", [1], GgmlType.F32, new byte[4], offset), "t");

    [Fact]
    public void A_tensor_that_is_cut_short()
    {
        var bytes = new GgufBytes().Add("t", [2], 1, 2);
        var error = Refusal(bytes.Compose()[..^1]);
        error.Name.ShouldBe("t");
        error.Offset.ShouldBe(bytes.Places["t"]);
    }

    [Fact]
    public void Tensors_that_overlap()
    {
        var bytes = new GgufBytes().Add("t", [16], new float[16]).Add("u", [1], GgmlType.F32, new byte[4], offset: 32);
        Refusal(bytes, "u").Offset.ShouldBe(bytes.Places["u"]);
    }

    private GgufException Refusal(GgufBytes bytes, string name)
    {
        var error = Refusal(bytes);
        error.Name.ShouldBe(name);
        return error;
    }

    private GgufException Refusal(GgufBytes bytes) => Refusal(bytes.Compose());

    private GgufException Refusal(byte[] bytes)
    {
        var path = _folder.File("x.gguf");
        File.WriteAllBytes(path, bytes);
        var error = Should.Throw<GgufException>(() => GgufFile.Open(path));
        error.File.ShouldBe(path);
        error.Message.ShouldContain($"{path}, byte {error.Offset}");
        return error;
    }
}
