using CsCheck;
using Meft.Core.Configuration;
using Shouldly;

namespace Meft.Core.Tests.Configuration;

public class ByteSizeTests
{
    [Theory]
    [InlineData("6GiB", 6L << 30)]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("1GB", 1_000_000_000)]
    [InlineData("1.5 gib", 3L << 29)]
    [InlineData("17", 17)]
    [InlineData("0.5KiB", 512)]
    [InlineData("8B", 8)]
    public void Sizes_take_units(string text, long bytes)
    {
        ByteSize.TryParse(text, out var read).ShouldBeTrue();
        read.ShouldBe(bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("-1GiB")]
    [InlineData("1e3")]
    [InlineData("6G")]
    [InlineData("9000000000GiB")]
    [InlineData("99999999999999999999999999999999999999")]
    public void Other_text_is_no_size(string text) => ByteSize.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_formatted_size_is_read_back() =>
        Gen.Long[0, long.MaxValue].Sample(bytes => ByteSize.TryParse(ByteSize.Format(bytes), out var read) && read == bytes);
}
