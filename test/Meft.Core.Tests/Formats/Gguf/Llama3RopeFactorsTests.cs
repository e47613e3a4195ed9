using CsCheck;
using Meft.Core.Formats.Gguf;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

public class Llama3RopeFactorsTests
{
    [Fact]
    public void Llama_3_1s_own_parameters_are_found_again()
    {
        var published = new Llama3RopeFactors.Parameters(8, 1, 4, 8192);
        var factors = Llama3RopeFactors.Of(published, 500_000, 128).Select(f => (float)f).ToArray();
        Llama3RopeFactors.Find(factors, 500_000, 128, original: null).ShouldBe(published);
        Llama3RopeFactors.Find(factors, 500_000, 128, original: 8192).ShouldBe(published);
    }

    [Fact]
    public void Whatever_parameters_made_the_factors_those_found_make_the_same() =>
        Gen.Select(Gen.Double[2, 64], Gen.Double[0.5, 4], Gen.Double[1.1, 8], Gen.Int[16, 100_000], Gen.Double[1_000, 1e6], Gen.Int[4, 64]).Sample(
            (factor, low, ratio, original, theta, pairs) =>
            {
                var factors = Llama3RopeFactors.Of(new(factor, low, low * ratio, original), theta, 2 * pairs).Select(f => (float)f).ToArray();
                // Where even the lowest frequency is not divided by all of the factor, the factor itself cannot be told.
                if (factors[^1] != (float)factor) return;
                var found = Llama3RopeFactors.Find(factors, theta, 2 * pairs, original: null).ShouldNotBeNull();
                foreach (var (mine, given) in Llama3RopeFactors.Of(found, theta, 2 * pairs).Zip(factors)) mine.ShouldBe(given, 2e-4 * given);
            });

    [Theory]
    [InlineData(1f, 5f, 2f, 8f)]
    [InlineData(1f, 0.5f, 1f, 8f)]
    [InlineData(8f, 1f, 1f, 8f)]
    [InlineData(1f, float.NaN, 1f, 8f)]
    public void Factors_of_another_rule_are_none_of_these(params float[] factors) =>
        Llama3RopeFactors.Find(factors, 10_000, 8, original: null).ShouldBeNull();
}
