using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Planning;
using Shouldly;

namespace Meft.Core.Tests.Planning;

public sealed class ExpectedUnionTests
{
    private const int TopK = 64, Probe = 8;

    // Measured on SmolLM2's last 15 layers with the start values, N = 4·sqrt(R), k = 64, P = 8: 32 facts, 8 Alpaca rows, 2 rows of 512 tokens.
    [Theory]
    [InlineData(350, 1_024, 845)]
    [InlineData(350, 4_096, 2_295)]
    [InlineData(350, 16_384, 4_289)]
    [InlineData(350, 65_536, 6_647)]
    [InlineData(564, 1_024, 944)]
    [InlineData(564, 4_096, 2_941)]
    [InlineData(564, 16_384, 6_568)]
    [InlineData(564, 65_536, 11_226)]
    [InlineData(1_024, 1_024, 937)]
    [InlineData(1_024, 4_096, 2_956)]
    [InlineData(1_024, 16_384, 6_861)]
    [InlineData(1_024, 65_536, 12_851)]
    public void Measured_unions_are_met_within_15_percent(int tokens, int rank, int measured) =>
        ((double)ExpectedUnion.Rows(rank, MethodConfig.AutoExperts(rank), Probe, TopK, tokens) / measured).ShouldBeInRange(0.85, 1.15);

    [Fact]
    public void It_never_exceeds_what_is_possible_and_grows_with_the_tokens() =>
        Gen.Select(Gen.Long[1, 400], Gen.Long[1, 64], Gen.Long[0, 300], Gen.Long[1, 100_000]).Sample((perExpert, experts, topK, tokens) =>
        {
            var rank = perExpert * experts;
            var probe = Math.Min(8, experts);
            var expected = ExpectedUnion.Rows(rank, experts, probe, topK, tokens);
            var most = topK == 0 ? probe * perExpert : Math.Min(topK, probe * perExpert);
            expected.ShouldBeInRange(0, Math.Min(rank, tokens * most));
            ExpectedUnion.Bound(rank, experts, probe, topK, tokens).ShouldBe(Math.Min(rank, tokens * most));
            ExpectedUnion.Rows(rank, experts, probe, topK, tokens + 1).ShouldBeGreaterThanOrEqualTo(expected);
        });

    [Fact]
    public void Sizes_beyond_64_bits_saturate_instead_of_overflowing() =>
        ExpectedUnion.Bound(1 << 28, 0, 0, 0, long.MaxValue / 2).ShouldBe(1 << 28);

    [Fact]
    public void Without_a_router_and_a_limit_every_neuron_is_a_candidate()
    {
        ExpectedUnion.MostPerToken(512, 0, 0, 0).ShouldBe(512);
        ExpectedUnion.Rows(512, 0, 0, 0, 10_000).ShouldBe(512);
    }
}
