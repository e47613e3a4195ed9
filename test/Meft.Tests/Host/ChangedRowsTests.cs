using CsCheck;
using Meft.Host;
using Shouldly;

namespace Meft.Tests.Host;

public sealed class ChangedRowsTests
{
    // Around the 64 rows of a word.
    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(130)]
    public void It_is_the_set_of_what_was_added(int rows) => Gen.Int[0, rows - 1].Array[0, 40].Array[0, 5].Sample(calls =>
    {
        var changed = new ChangedRows(rows);
        var set = new SortedSet<int>();
        foreach (var call in calls)
        {
            changed.Add(call);
            set.UnionWith(call);
            changed.Count.ShouldBe(set.Count);
            changed.ToArray().ShouldBe([.. set]);
        }
    }, iter: 50, threads: 1);

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    public void All_rows_are_no_more_than_there_are(int rows)
    {
        var changed = new ChangedRows(rows);
        changed.Add([rows - 1]);
        changed.AddAll();
        changed.Add([0, rows - 1]);
        changed.Count.ShouldBe(rows);
        changed.ToArray().ShouldBe([.. Enumerable.Range(0, rows)]);
    }

    [Fact]
    public void A_restart_forgets_them_and_keeps_the_mark()
    {
        var changed = new ChangedRows(70);
        changed.Mark.ShouldBeNull();
        changed.Add([3, 69]);
        changed.Restart("a full one");
        (changed.Count, changed.Mark).ShouldBe((0, "a full one"));
        changed.ToArray().ShouldBeEmpty();
        changed.Add([69]);
        changed.AddAll();
        changed.Mark.ShouldBe("a full one");
        changed.Count.ShouldBe(70);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(70)]
    public void There_is_no_such_row(int row)
    {
        var changed = new ChangedRows(70);
        Should.Throw<ArgumentOutOfRangeException>(() => changed.Add([row]));
        changed.Count.ShouldBe(0);
    }
}
