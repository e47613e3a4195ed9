using System.Text;
using CsCheck;
using Meft.Core.Storage;
using Shouldly;

namespace Meft.Core.Tests.Storage;

public class UserCacheTests
{
    [Theory]
    [InlineData("/named", "/xdg", "/named")]
    [InlineData(null, "/xdg", "/xdg/meft")]
    [InlineData("", "/xdg", "/xdg/meft")]
    public void Its_own_variable_comes_before_the_common_one(string? own, string? common, string folder) =>
        UserCache.Folder(name => name == UserCache.Variable ? own : common).ShouldBe(folder);

    [Theory]
    [InlineData(null)]
    [InlineData("relative")]
    public void Else_it_is_in_the_users_home(string? common) =>
        UserCache.Folder(name => name == UserCache.Variable ? null : common).ShouldEndWith(Path.Combine(".cache", "meft"));
}

public class Crc32CTests
{
    [Fact]
    public void The_check_value_is_the_published_one()
    {
        var checksum = new Crc32C();
        checksum.Add(Encoding.ASCII.GetBytes("123456789"));
        checksum.Value.ShouldBe(0xE3069283); // RFC 3720's polynomial, the catalogue's check value
    }

    [Fact]
    public void How_bytes_are_cut_changes_nothing() => Gen.Select(Gen.Byte.Array[0, 60], Gen.Int[0, 60]).Sample((bytes, cut) =>
    {
        var (whole, parts) = (new Crc32C(), new Crc32C());
        whole.Add(bytes);
        parts.Add(bytes.AsSpan(0, Math.Min(cut, bytes.Length)));
        parts.Add(bytes.AsSpan(Math.Min(cut, bytes.Length)));
        parts.Value.ShouldBe(whole.Value);
    });
}
