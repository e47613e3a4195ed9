using Meft.Core.Data.Files.ParquetChecks;
using Shouldly;

namespace Meft.Core.Tests.Data.Files.ParquetChecks;

public class DeltaHeaderTests
{
    [Fact]
    public void A_run_ends_after_its_last_block()
    {
        // Blocks of 8 values in 1 part, 3 values, the first is 0; a block: smallest difference 0, 2 bits each.
        DeltaHeader.Walk([8, 1, 3, 0, 0, 2, 0xAA, 0xAA, 99], 3).ShouldBe(8);
        DeltaHeader.Walk([8, 1, 1, 0, 99], 3).ShouldBe(4);
    }

    [Theory]
    [InlineData("blocks of", new byte[] { 0xFF, 0xFF, 0xFF, 0x7F, 1, 3, 0, 0, 2, 0, 0 })]
    [InlineData("blocks of", new byte[] { 8, 0, 3, 0, 0, 2, 0, 0 })]
    [InlineData("holds 4", new byte[] { 8, 1, 4, 0, 0, 2, 0, 0 })]
    [InlineData("65 bits", new byte[] { 8, 1, 3, 0, 0, 65, 0, 0 })]
    [InlineData("no end", new byte[] { 8, 1 })]
    public void Rooms_that_are_too_large_are_refused(string problem, byte[] bytes) =>
        Should.Throw<InvalidDataException>(() => DeltaHeader.Walk(bytes, 3)).Message.ShouldContain(problem);
}
