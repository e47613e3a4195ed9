using Meft.Core.Data.Files;
using Shouldly;

namespace Meft.Core.Tests.Data.Files;

public class FiniteStreamTests
{
    [Fact]
    public void Who_waits_at_the_end_for_more_is_stopped()
    {
        using var stream = new FiniteStream(new MemoryStream([1, 2, 3]));
        var buffer = new byte[8];
        stream.Read(buffer).ShouldBe(3);
        for (var i = 0; i < 10; i++) stream.Read(buffer).ShouldBe(0);
        stream.Position = 1;
        stream.Read(buffer).ShouldBe(2);
        Should.Throw<EndOfStreamException>(() =>
        {
            while (stream.Read(buffer) == 0)
            {
                // As a reader that the file has promised more.
            }
        });
    }
}
