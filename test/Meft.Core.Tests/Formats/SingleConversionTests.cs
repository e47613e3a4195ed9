using CsCheck;
using Meft.Core.Formats;
using Shouldly;

namespace Meft.Core.Tests.Formats;

public class SingleConversionTests
{
    private static readonly ushort[] AllBits = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];

    [Fact]
    public void Every_half_converts_exactly()
    {
        var converted = new float[AllBits.Length];
        SingleConversion.FromHalf(AllBits, converted);
        foreach (var bits in AllBits)
        {
            var expected = (float)BitConverter.UInt16BitsToHalf(bits);
            if (float.IsNaN(expected)) float.IsNaN(converted[bits]).ShouldBeTrue();
            else BitConverter.SingleToInt32Bits(converted[bits]).ShouldBe(BitConverter.SingleToInt32Bits(expected));
        }
    }

    [Fact]
    public void Every_bfloat16_is_the_upper_half_of_a_single_and_goes_back()
    {
        var converted = new float[AllBits.Length];
        SingleConversion.FromBFloat16(AllBits, converted);
        foreach (var bits in AllBits)
        {
            BitConverter.SingleToUInt32Bits(converted[bits]).ShouldBe((uint)bits << 16);
            if (!float.IsNaN(converted[bits])) SingleConversion.ToBFloat16(converted[bits]).ShouldBe(bits);
        }
    }

    [Fact]
    public void Odd_lengths_end_as_even_ones_do()
    {
        Gen.Select(Gen.Int[0, 70], Gen.Int[0, 65535]).Sample((length, start) =>
        {
            var source = Enumerable.Range(start, length).Select(i => (ushort)i).ToArray();
            var half = new float[length];
            var brain = new float[length];
            SingleConversion.FromHalf(source, half);
            SingleConversion.FromBFloat16(source, brain);
            for (var i = 0; i < length; i++)
            {
                half[i].ShouldBe((float)BitConverter.UInt16BitsToHalf(source[i]));
                brain[i].ShouldBe(BitConverter.UInt32BitsToSingle((uint)source[i] << 16));
            }
        });
    }

    [Theory]
    [InlineData(0x3F808000u, 0x3F80)] // half way: to even, down
    [InlineData(0x3F818000u, 0x3F82)] // half way: to even, up
    [InlineData(0x3F808001u, 0x3F81)]
    [InlineData(0x7F7FFFFFu, 0x7F80)] // rounds up to infinity
    [InlineData(0x7F800000u, 0x7F80)]
    [InlineData(0xFF800000u, 0xFF80)]
    [InlineData(0x00000001u, 0x0000)]
    [InlineData(0x80000000u, 0x8000)]
    public void Rounds_to_the_nearest_even_bfloat16(uint bits, int expected) =>
        SingleConversion.ToBFloat16(BitConverter.UInt32BitsToSingle(bits)).ShouldBe((ushort)expected);

    [Fact]
    public void Many_round_as_one_does()
    {
        Gen.UInt.Array[0, 70].Sample(bits =>
        {
            var values = bits.Select(BitConverter.UInt32BitsToSingle).ToArray();
            var rounded = new ushort[values.Length];
            SingleConversion.ToBFloat16(values, rounded);
            rounded.ShouldBe(values.Select(SingleConversion.ToBFloat16));
        });
    }

    [Theory]
    [InlineData(0x7F800001u)]
    [InlineData(0x7FFFFFFFu)]
    [InlineData(0xFFFFFFFFu)]
    public void A_nan_stays_a_nan(uint bits)
    {
        var result = new float[1];
        SingleConversion.FromBFloat16([SingleConversion.ToBFloat16(BitConverter.UInt32BitsToSingle(bits))], result);
        float.IsNaN(result[0]).ShouldBeTrue();
    }
}
