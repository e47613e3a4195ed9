using Meft.Demonstration;
using Meft.Generation;
using Shouldly;

namespace Meft.Tests.Demonstration;

public class GrammarTests
{
    private static readonly Dictionary<string, IReadOnlyList<string>> Rules = new() { ["a"] = ["x{b}", "y{b}"], ["b"] = ["1", "2"], ["bound"] = ["no"] };
    private static readonly Dictionary<string, string> Bindings = new() { ["bound"] = "yes {b}" };

    [Fact]
    public void Symbols_are_replaced_until_none_is_left()
    {
        var random = new RandomStream(0, 0);
        var texts = Enumerable.Range(0, 100).Select(_ => new Grammar(Rules).Expand("<{a}>", Bindings, random)).Distinct();
        texts.Order().ShouldBe(["<x1>", "<x2>", "<y1>", "<y2>"]);
    }

    [Fact]
    public void What_is_bound_comes_before_the_rules() =>
        new Grammar(Rules).Expand("{bound}", Bindings, new RandomStream(0, 0)).ShouldBeOneOf("yes 1", "yes 2");

    [Fact]
    public void A_symbol_that_nothing_explains_is_an_error() =>
        Should.Throw<KeyNotFoundException>(() => new Grammar(Rules).Expand("{c}", Bindings, new RandomStream(0, 0)));
}
