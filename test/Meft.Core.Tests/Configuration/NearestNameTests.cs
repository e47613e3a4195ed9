using Meft.Core.Configuration;
using Shouldly;

namespace Meft.Core.Tests.Configuration;

public class NearestNameTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("rank", "rnak", 1)]
    [InlineData("Rank", "rank", 0)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    public void Counts_edits_with_swaps(string a, string b, int distance)
    {
        NearestName.Distance(a, b).ShouldBe(distance);
        NearestName.Distance(b, a).ShouldBe(distance);
    }

    [Fact]
    public void Another_word_is_not_close()
    {
        NearestName.IfClose("tarin", ["train", "score"]).ShouldBe("train");
        NearestName.IfClose("elephant", ["train", "score"]).ShouldBeNull();
        NearestName.Of("elephant", []).ShouldBeNull();
    }

    [Fact]
    public void A_name_of_any_length_costs_little()
    {
        var name = new string('a', 100_000);
        NearestName.Of(name, ["train", "score"]); // whatever is made once
        var before = GC.GetAllocatedBytesForCurrentThread();
        NearestName.Of(name, ["train", "score"]).ShouldNotBeNull();
        NearestName.IfClose("train" + name, ["train", "score"]).ShouldBeNull();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1_000_000);
    }
}
