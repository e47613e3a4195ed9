using Meft.Core.Planning;
using Shouldly;

namespace Meft.Core.Tests.Planning;

public sealed class LinkTrafficTests
{
    private static readonly LinkSizes Sizes = new(HiddenSize: 10, Width: 2, Rank: 100, Experts: 5, Probe: 3, TopK: 4);

    [Fact]
    public void Activations_travel_twice_each_way() =>
        LinkTraffic.OfActivations(Sizes, 7).ShouldBe(new LinkTraffic(ToHost: 2 * 7 * 10 * 2, ToDevice: 2 * 7 * 10 * 2));

    [Fact]
    public void Rows_travel_with_their_selection_and_come_back_as_gradients()
    {
        // T = 7, U = 11, 20 entries; x, row gradients, coefficient gradients; V, then K and V, the selection with each, the gate's share of dx.
        LinkTraffic.OfRows(Sizes, 7, 11, 20).ShouldBe(new LinkTraffic(
            ToHost: 7 * 10 * 2 + 2 * 11 * 10 * 4 + 7 * 3 * 4,
            ToDevice: 3 * 11 * 10 * 2 + 20 * (12 + 24) + 7 * 10 * 2));
        LinkTraffic.OfRows(Sizes with { Recompute = true }, 7, 11, 20).ToDevice.ShouldBe(3 * 11 * 10 * 2 + 20 * (2 * 12 + 24) + 7 * 10 * 2);
        LinkTraffic.OfRows(Sizes with { Experts = 0, Probe = 0 }, 7, 11, 20).ShouldBe(new LinkTraffic(
            ToHost: 7 * 10 * 2 + 2 * 11 * 10 * 4, ToDevice: 3 * 11 * 10 * 2 + 20 * (12 + 24)));
    }

    [Fact]
    public void From_the_break_even_on_rows_cost_less_and_before_it_they_do_not()
    {
        var sizes = new LinkSizes(4096, 2, 6144, 256, 8, 64);
        var tokens = LinkTraffic.BreakEvenTokens(sizes).ShouldNotBeNull();
        LinkTraffic.OfRows(sizes, tokens).Total.ShouldBeLessThan(LinkTraffic.OfActivations(sizes, tokens).Total);
        LinkTraffic.OfRows(sizes, tokens - 1).Total.ShouldBeGreaterThanOrEqualTo(LinkTraffic.OfActivations(sizes, tokens - 1).Total);
    }

    [Fact]
    public void A_narrow_model_sends_more_of_selections_than_it_saves_of_activations() =>
        LinkTraffic.BreakEvenTokens(new LinkSizes(64, 2, 4096, 256, 8, 64)).ShouldBeNull();
}
