using Meft.Core.Storage;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Storage;

public sealed class LockFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Place => _folder.File("lock");

    [Fact]
    public void One_holder_at_a_time_who_can_be_asked_for_and_leaves_nothing()
    {
        LockFile.IsHeld(Place).ShouldBeFalse();
        using (var first = LockFile.TryTake(Place, "the first"))
        {
            first.ShouldNotBeNull();
            LockFile.IsHeld(Place).ShouldBeTrue();
            LockFile.TryTake(Place, "the second").ShouldBeNull();
            LockFile.HolderOf(Place).ShouldBe("the first");
        }
        File.Exists(Place).ShouldBeFalse();
        using var second = LockFile.TryTake(Place, "the second");
        LockFile.HolderOf(Place).ShouldBe("the second");
    }

    [Fact]
    public void A_file_that_lies_there_unheld_locks_nothing()
    {
        File.WriteAllText(Place, "somebody who is gone and whose line is long\n");
        LockFile.IsHeld(Place).ShouldBeFalse();
        using var taken = LockFile.TryTake(Place, "me");
        taken.ShouldNotBeNull();
        LockFile.HolderOf(Place).ShouldBe("me");
    }

    [Fact]
    public void Many_at_once_never_hold_it_together()
    {
        int holders = 0, taken = 0;
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            using var held = LockFile.TryTake(Place, "one");
            if (held is null) return;
            Interlocked.Increment(ref holders).ShouldBe(1);
            Interlocked.Increment(ref taken);
            Interlocked.Decrement(ref holders);
        });
        taken.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_an_error_and_not_a_holder()
    {
        Should.Throw<IOException>(() => LockFile.TryTake(_folder.File("no/such/folder/lock"), "me"));
        Directory.CreateDirectory(_folder.File("folder"));
        Should.Throw<UnauthorizedAccessException>(() => LockFile.TryTake(_folder.File("folder"), "me"));
    }

    public void Dispose() => _folder.Dispose();
}
