using CsCheck;
using Meft.Generation;
using Shouldly;

namespace Meft.Tests.Generation;

public class StopFilterTests
{
    [Fact]
    public void Whatever_the_pieces_the_text_ends_where_the_first_stop_string_comes()
    {
        var letters = Gen.Char["ab"];
        var stops = Gen.String[letters, 1, 4].List[1, 3];
        Gen.Select(Gen.String[letters, 0, 3].List[0, 12], stops).Sample((pieces, wanted) =>
        {
            var whole = string.Concat(pieces);
            var filter = new StopFilter(wanted);
            var text = string.Concat(pieces.Select(filter.Append)) + filter.Complete();
            // As the pieces come: the first piece with which the text holds a stop string decides.
            var shown = pieces.Select((_, i) => string.Concat(pieces.Take(i + 1))).FirstOrDefault(begun => wanted.Any(begun.Contains));
            var expected = shown is null ? whole : shown[..wanted.Where(shown.Contains).Min(stop => shown.IndexOf(stop, StringComparison.Ordinal))];
            (text, filter.Stopped).ShouldBe((expected, shown is not null));
        });
    }

    [Fact]
    public void What_may_become_a_stop_string_is_held_back()
    {
        var filter = new StopFilter(["###"]);
        filter.Append("one#").ShouldBe("one");
        filter.Append("#two##").ShouldBe("##two");
        filter.Append("#three").ShouldBe("");
        filter.Stopped.ShouldBeTrue();
        filter.Append("four").ShouldBe("");
        filter.Complete().ShouldBe("");
    }

    [Fact]
    public void Without_stop_strings_everything_comes_at_once()
    {
        var filter = new StopFilter([]);
        filter.Append("a#").ShouldBe("a#");
        filter.Complete().ShouldBe("");
    }
}
