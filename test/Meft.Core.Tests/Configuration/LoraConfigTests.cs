using Meft.Core.Configuration;
using Shouldly;

namespace Meft.Core.Tests.Configuration;

public sealed class LoraConfigTests : IDisposable
{
    private readonly ConfigTestFolder _folder = new();

    [Fact]
    public void Defaults_are_those_of_a_small_adapter_on_queries_and_values()
    {
        var method = Method("{kind: lora}");
        (method.Rank, method.Alpha, method.Dropout, method.Rslora).ShouldBe((8, 16, 0, false));
        method.Targets.ShouldBe(new TargetSelection.Named(["q_proj", "v_proj"]));
        method.RankPattern.ShouldBeEmpty();
        method.AlphaPattern.ShouldBeEmpty();
    }

    [Fact]
    public void Targets_are_a_list_an_expression_or_all_linear()
    {
        Method("{kind: lora, targets: [o_proj, down_proj]}").Targets.ShouldBe(new TargetSelection.Named(["o_proj", "down_proj"]));
        Method("{kind: lora, targets: o_proj}").Targets.ShouldBe(new TargetSelection.Named(["o_proj"]));
        Method("{kind: lora, targets: all-linear}").Targets.ShouldBe(new TargetSelection.AllLinear());
        Method(@"{kind: lora, targets: '.*\.mlp\..*'}").Targets.ShouldBe(new TargetSelection.Pattern(@".*\.mlp\..*"));
    }

    [Fact]
    public void Patterns_keep_their_order()
    {
        var method = Method(@"{kind: lora, rank_pattern: {q_proj: 4, '.*_proj': 2}, alpha_pattern: {v_proj: 1.5}}");
        method.RankPattern.ShouldBe([new("q_proj", 4), new(".*_proj", 2)]);
        method.AlphaPattern.ShouldBe([new("v_proj", 1.5)]);
    }

    [Theory]
    [InlineData("targets: 'a('", "method.targets", "no regular expression")]
    [InlineData("targets: []", "method.targets", "an empty list")]
    [InlineData("rank_pattern: {q_proj: 0}", "method.rank_pattern", "out of range")]
    [InlineData("rank_pattern: {'(': 1}", "method.rank_pattern", "no regular expression")]
    [InlineData("rank_pattern: [q_proj]", "method.rank_pattern", "no group of keys")]
    [InlineData("alpha_pattern: {q_proj: 1, q_proj: 2}", "method.alpha_pattern", "stands twice")]
    [InlineData("dropout: 1", "method.dropout", "out of range")]
    public void What_is_wrong_is_named(string setting, string key, string problem)
    {
        var error = _folder.ErrorWith($"method: {{kind: lora, {setting}}}");
        error.Key.ShouldBe(key);
        error.Problem.ShouldContain(problem);
    }

    [Theory]
    [InlineData("rank_pattern: {q_proj: 4}")]
    [InlineData("alpha_pattern: {q_proj: 4}")]
    [InlineData("targets: all-linear")]
    public void Another_method_has_no_use_for_them(string setting) =>
        _folder.ErrorWith($"method: {{{setting}}}").Problem.ShouldContain("method.kind: lora");

    public void Dispose() => _folder.Dispose();

    private MethodConfig Method(string method) => _folder.Load(ConfigTestFolder.Minimal + $"method: {method}").Method;
}
