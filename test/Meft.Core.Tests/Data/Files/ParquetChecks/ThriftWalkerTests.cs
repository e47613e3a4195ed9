using Meft.Core.Data.Files.ParquetChecks;
using Shouldly;

namespace Meft.Core.Tests.Data.Files.ParquetChecks;

public class ThriftWalkerTests
{
    private static readonly ThriftLayout Inner = new(ThriftType.Bool, ThriftType.I64);
    private static readonly ThriftLayout Outer = new(ThriftType.I32, ThriftType.Binary, Inner, ThriftType.I32.List);

    [Fact]
    public void Known_numbers_are_told_and_unknown_ones_passed_over()
    {
        byte[] bytes =
        [
            0x15, 0x04, // 1: i32 2
            0x18, 0x02, 0xFF, 0xFF, // 2: two bytes
            0x1C, 0x12, 0x16, 0x83, 0x01, 0x00, // 3: struct of false and i64 -66
            0x19, 0x25, 0x02, 0x03, // 4: list of 1 and -2
            0x36, 0x02, 0x1C, 0x00, // 7: an i64, 8: an empty struct, both unknown
            0x00,
        ];
        Walk(bytes).ShouldBe([(Outer, 1, 2), (Inner, 1, 0), (Inner, 2, -66)]);
    }

    [Theory]
    [InlineData("no end", new byte[] { 0x15, 0x04 })]
    [InlineData("no end", new byte[] { 0x15, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00 })]
    [InlineData("another kind", new byte[] { 0x16, 0x04, 0x00 })]
    [InlineData("another kind", new byte[] { 0x49, 0x26, 0x02, 0x02, 0x00 })]
    [InlineData("ascend", new byte[] { 0x15, 0x04, 0x05, 0x02, 0x04, 0x00 })]
    [InlineData("longer", new byte[] { 0x28, 0xFF, 0xFF, 0xFF, 0x7F, 0x00 })]
    [InlineData("longer", new byte[] { 0x49, 0xF5, 0xFF, 0xFF, 0xFF, 0x7F, 0x00 })]
    [InlineData("later versions", new byte[] { 0x5C, 0x15, 0x02, 0x00, 0x00 })]
    [InlineData("later versions", new byte[] { 0x59, 0x15, 0x02, 0x00 })]
    public void What_is_built_otherwise_is_refused(string problem, byte[] bytes) =>
        Should.Throw<InvalidDataException>(() => Walk(bytes)).Message.ShouldContain(problem);

    private static List<(ThriftLayout, int, long)> Walk(byte[] bytes)
    {
        List<(ThriftLayout, int, long)> told = [];
        using var stream = new MemoryStream(bytes);
        var walker = new ThriftWalker(stream, bytes.Length, (layout, field, value) => told.Add((layout, field, value)));
        walker.Walk(Outer);
        walker.Left.ShouldBe(0);
        return told;
    }
}
