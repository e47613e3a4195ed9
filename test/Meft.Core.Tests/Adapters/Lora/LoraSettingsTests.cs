using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Shouldly;

namespace Meft.Core.Tests.Adapters.Lora;

public class LoraSettingsTests
{
    private static readonly ModelConfig Model = new()
    {
        Architecture = "LlamaForCausalLM",
        VocabularySize = 50,
        HiddenSize = 16,
        IntermediateSize = 24,
        LayerCount = 3,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadSize = 8,
        MaxPositions = 64,
    };

    private static readonly LoraSettings Plain = new() { Rank = 4, Alpha = 8, Targets = new TargetSelection.Named(["q_proj", "v_proj"]) };

    [Fact]
    public void A_name_means_the_module_of_every_layer_with_its_sizes()
    {
        var spec = Plain.Resolve(Model);
        spec.Maps.Select(m => m.Module.FullName).ShouldBe(
            from layer in Enumerable.Range(0, 3) from name in new[] { "q_proj", "v_proj" } select $"model.layers.{layer}.self_attn.{name}");
        (spec.Maps[0].Module.Inputs, spec.Maps[0].Module.Outputs, spec.Maps[0].Rank, spec.Maps[0].Scale).ShouldBe((16, 32, 4, 2));
        (spec.Maps[1].Module.Inputs, spec.Maps[1].Module.Outputs).ShouldBe((16, 16));
        spec.ParameterCount.ShouldBe(3 * 4 * (16 + 32 + 16 + 16));
    }

    [Theory]
    [InlineData("roj", 0)]
    [InlineData("self_attn.q_proj", 3)]
    [InlineData("model.layers.1.self_attn.q_proj", 1)]
    [InlineData("1.self_attn.q_proj", 1)]
    public void A_name_means_whole_parts_only(string name, int count)
    {
        var settings = Plain with { Targets = new TargetSelection.Named([name]) };
        if (count == 0) Should.Throw<InvalidInputException>(() => settings.Resolve(Model)).Message.ShouldContain("match no linear map");
        else settings.Resolve(Model).Maps.Count.ShouldBe(count);
    }

    [Theory]
    [InlineData(@".*\.mlp\..*", 9)]
    [InlineData(@"model\.layers\.[02]\.self_attn\.(q|k)_proj", 4)]
    [InlineData(@"layers\.0\.mlp\.up_proj", 0)]
    [InlineData(@".*\.mlp\.up", 0)]
    public void An_expression_matches_whole_names(string expression, int count)
    {
        var settings = Plain with { Targets = new TargetSelection.Pattern(expression) };
        if (count == 0) Should.Throw<InvalidInputException>(() => settings.Resolve(Model)).Message.ShouldContain("match no linear map");
        else settings.Resolve(Model).Maps.Count.ShouldBe(count);
    }

    [Fact]
    public void The_first_pattern_that_matches_gives_rank_and_alpha()
    {
        var settings = Plain with
        {
            Targets = new TargetSelection.AllLinear(),
            RankPattern = [new(@"layers\.1\.self_attn\.q_proj", 2), new("q_proj", 16), new("j", 99)],
            AlphaPattern = [new(".*mlp.*", 3)],
        };
        var maps = settings.Resolve(Model).Maps.ToDictionary(m => m.Module.FullName["model.layers.".Length..]);
        maps.Count.ShouldBe(21);
        (maps["1.self_attn.q_proj"].Rank, maps["1.self_attn.q_proj"].Scale).ShouldBe((2, 4));
        (maps["0.self_attn.q_proj"].Rank, maps["0.self_attn.q_proj"].Scale).ShouldBe((16, 0.5));
        (maps["0.mlp.up_proj"].Rank, maps["0.mlp.up_proj"].Scale).ShouldBe((4, 0.75));
        maps["0.self_attn.k_proj"].Rank.ShouldBe(4);
    }

    [Fact]
    public void Rslora_divides_by_the_root_of_each_rank()
    {
        var maps = (Plain with { Rslora = true, RankPattern = [new("v_proj", 16)] }).Resolve(Model).Maps;
        maps[0].Scale.ShouldBe(4);
        maps[1].Scale.ShouldBe(2);
    }

    [Theory]
    [InlineData("layers", 2)]
    [InlineData("block", 0)]
    [InlineData(null, 2)]
    public void Layers_are_found_after_their_part_of_the_name(string? part, int count)
    {
        var settings = Plain with { Targets = new TargetSelection.Named(["q_proj"]), Layers = [0, 2], LayersPattern = part is null ? [] : [part] };
        if (count == 0) Should.Throw<InvalidInputException>(() => settings.Resolve(Model));
        else settings.Resolve(Model).Layers.ShouldBe([0, 2]);
    }

    [Fact]
    public void Excluded_modules_are_left_out()
    {
        (Plain with { Excluded = new TargetSelection.Named(["0.self_attn.q_proj"]) }).Resolve(Model).Maps.Count.ShouldBe(5);
        (Plain with { Excluded = new TargetSelection.Pattern(@".*\.v_proj") }).Resolve(Model).Maps.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData("lm_head")]
    [InlineData("embed_tokens")]
    public void What_is_no_map_of_a_layer_cannot_be_adapted(string name) =>
        Should.Throw<InvalidInputException>(() => (Plain with { Targets = new TargetSelection.Named(["q_proj", name]) }).Resolve(Model)).Message.ShouldContain(name);

    [Fact]
    public void An_expression_that_would_take_forever_is_stopped()
    {
        var settings = Plain with { Targets = new TargetSelection.Pattern(@"(([a-z]+[._0-9]*)+)+!") };
        Should.Throw<InvalidInputException>(() => settings.Resolve(Model)).Message.ShouldContain("takes too long");
    }

    [Fact]
    public void A_run_names_its_layers_as_PEFT_does()
    {
        var method = new MethodConfig { Kind = MethodKind.Lora, RequestedRank = 4, Experts = 0, Alpha = 8, Layers = new LayerSelection.All() };
        LoraSettings.From(method, Model).Layers.ShouldBeNull();
        var last = LoraSettings.From(method with { Layers = new LayerSelection.Last(2) }, Model);
        last.Layers.ShouldBe((ValueList<int>)[1, 2]);
        last.Resolve(Model).Layers.ShouldBe([1, 2]);
    }

    [Fact]
    public void A_run_lists_what_PEFT_takes_no_expression_for()
    {
        var method = new MethodConfig { Kind = MethodKind.Lora, RequestedRank = 4, Experts = 0, Layers = new LayerSelection.Last(1) };
        var all = LoraSettings.From(method with { Targets = new TargetSelection.AllLinear() }, Model);
        all.Targets.ShouldBe(new TargetSelection.Named(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]));
        all.Resolve(Model).Maps.Count.ShouldBe(7);
        var some = LoraSettings.From(method with { Targets = new TargetSelection.Pattern(@".*\.(up|down)_proj") }, Model);
        some.Targets.ShouldBe(new TargetSelection.Named(["model.layers.2.mlp.up_proj", "model.layers.2.mlp.down_proj"]));
        some.Layers.ShouldBeNull();
        some.Resolve(Model).Layers.ShouldBe([2]);
    }

    [Fact]
    public void A_name_in_a_config_that_means_nothing_is_refused_even_beside_others()
    {
        var method = new MethodConfig { Kind = MethodKind.Lora, RequestedRank = 4, Experts = 0, Targets = new TargetSelection.Named(["q_proj", "w_proj"]) };
        var error = Should.Throw<InvalidInputException>(() => LoraSettings.From(method, Model)).Message;
        error.ShouldContain("'w_proj'");
        error.ShouldContain("q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj");
    }

    [Theory]
    [InlineData("w_proj")]
    [InlineData("up_proj")]
    [InlineData("proj")]
    [InlineData(@"0\.self_attn\.q_proj")]
    public void A_pattern_in_a_config_that_means_no_adapted_module_is_refused_even_beside_others(string pattern)
    {
        var method = new MethodConfig
        {
            Kind = MethodKind.Lora,
            RequestedRank = 4,
            Experts = 0,
            Targets = new TargetSelection.Named(["q_proj", "v_proj"]),
            Layers = new LayerSelection.Last(2),
        };
        LoraSettings.From(method with { RankPattern = [new("q_proj", 2)], AlphaPattern = [new(@"2\..*", 2)] }, Model).Resolve(Model).Maps.Count.ShouldBe(4);
        foreach (var (key, wrong) in new[]
        {
            ("method.rank_pattern", method with { RankPattern = [new("q_proj", 2), new(pattern, 2)] }),
            ("method.alpha_pattern", method with { AlphaPattern = [new("q_proj", 2), new(pattern, 2)] }),
        })
        {
            var error = Should.Throw<InvalidInputException>(() => LoraSettings.From(wrong, Model));
            error.Location.ShouldBe(key);
            error.Message.ShouldContain($"'{pattern}'");
            error.Message.ShouldContain("q_proj, v_proj of the layers 1, 2, such as model.layers.1.self_attn.q_proj");
        }
    }
}
