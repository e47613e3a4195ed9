using Meft.Core.Data.Files.ParquetChecks;
using Shouldly;

namespace Meft.Core.Tests.Data.Files.ParquetChecks;

public class CheckedPagesStreamTests
{
    [Fact]
    public void Only_pages_that_were_checked_are_found()
    {
        using var stream = new CheckedPagesStream(new MemoryStream([1, 2, 3, 4]));
        stream.Allow([2]);
        stream.Seek(2, SeekOrigin.Begin);
        stream.ReadByte().ShouldBe(3);
        stream.Seek(0, SeekOrigin.Begin);
        stream.Seek(-1, SeekOrigin.End).ShouldBe(3);
        Should.Throw<InvalidDataException>(() => stream.Seek(3, SeekOrigin.Begin)).Message.ShouldContain("fewer values");
    }
}
