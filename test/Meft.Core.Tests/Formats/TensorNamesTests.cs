using Meft.Core.Formats;
using Shouldly;

namespace Meft.Core.Tests.Formats;

public class TensorNamesTests
{
    [Fact]
    public void Names_that_differ_in_their_layer_alone_are_one()
    {
        string[] layers = [.. new[] { 0, 1, 2, 11, 10, 5 }.Select(l => $"model.layers.{l}.mlp.up_proj.weight is [3], not [4]")];
        TensorNames.Listed(["lm_head.weight", .. layers, "model.layers.3.mlp.down_proj.weight"]).ShouldBe(
            "lm_head.weight, model.layers.{0-2,5,10-11}.mlp.up_proj.weight is [3], not [4], model.layers.3.mlp.down_proj.weight");
    }

    [Theory]
    [InlineData("model.layers.01.x")]
    [InlineData("model.layers.99999999999.x")]
    [InlineData("model.layers.1")]
    [InlineData("")]
    public void A_name_of_another_kind_stays_as_it_is(string name) => TensorNames.Listed([name]).ShouldBe(name);
}
