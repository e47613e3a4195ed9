using System.Runtime.InteropServices;
using CsCheck;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

public class BlockDecoderTests
{
    private const string RawEnding = ".raw";

    public static TheoryData<string> FixtureTypes => Assets.Enumerate("fixtures/gguf_blocks", folder =>
    {
        using var blocks = SafetensorsFile.Open(Path.Combine(folder, "blocks.safetensors"));
        return [.. blocks.Tensors.Keys.Where(k => k.EndsWith(RawEnding, StringComparison.Ordinal)).Select(k => k[..^RawEnding.Length])];
    });

    public static TheoryData<GgmlType> DecodableTypes => [.. Enum.GetValues<GgmlType>().Where(BlockDecoder.Knows)];

    [Theory]
    [MemberData(nameof(FixtureTypes))]
    [Trait("Category", "Fixtures")]
    public void Blocks_decode_to_the_expected_bits(string name)
    {
        using var fixture = SafetensorsFile.Open(Assets.Require("fixtures", "gguf_blocks", "blocks.safetensors"));
        var raw = fixture.Bytes(name + RawEnding);
        var expected = fixture.ReadSingles(name + ".f32");
        GgmlTypeExtensions.TryParse(name, out var type).ShouldBeTrue();
        fixture.Tensors[name + RawEnding].Shape[1].ShouldBe(type.BlockBytes());
        fixture.Tensors[name + ".f32"].Shape[1].ShouldBe(type.BlockWeights());

        var weights = new float[expected.Length];
        BlockDecoder.ToSingles(type, raw, weights);
        Bits(weights).ShouldBe(Bits(expected));
    }

    [Fact]
    public void Every_name_is_found_again()
    {
        foreach (var type in Enum.GetValues<GgmlType>())
        {
            type.IsKnown().ShouldBeTrue();
            GgmlTypeExtensions.TryParse(type.GgmlName(), out var parsed).ShouldBeTrue();
            parsed.ShouldBe(type);
        }
    }

    [Theory]
    [MemberData(nameof(DecodableTypes))]
    public void A_block_decodes_alone_as_among_others(GgmlType type)
    {
        var (bytes, count) = (type.BlockBytes(), type.BlockWeights());
        Gen.Byte.Array[bytes * 3].Sample(
            blocks =>
            {
                var together = new float[count * 3];
                BlockDecoder.ToSingles(type, blocks, together);
                var alone = new float[count];
                for (var i = 0; i < 3; i++)
                {
                    BlockDecoder.ToSingles(type, blocks.AsSpan(i * bytes, bytes), alone);
                    Bits(together[(i * count)..((i + 1) * count)]).ShouldBe(Bits(alone));
                }
            },
            iter: 50);
    }

    [Theory]
    [MemberData(nameof(DecodableTypes))]
    public void Lengths_that_do_not_agree_are_refused(GgmlType type)
    {
        var blocks = new byte[type.BlockBytes()];
        Should.Throw<ArgumentException>(() => BlockDecoder.ToSingles(type, blocks, new float[type.BlockWeights() + 1]));
        Should.Throw<ArgumentException>(() => BlockDecoder.ToSingles(type, blocks.AsSpan(1), new float[type.BlockWeights()]));
    }

    private static int[] Bits(float[] values) => MemoryMarshal.Cast<float, int>(values).ToArray();
}
