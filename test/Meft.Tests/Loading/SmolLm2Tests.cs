using Meft.Core.Configuration;
using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;
using Meft.Evaluation;
using Meft.Generation;
using Meft.Loading;
using Shouldly;

namespace Meft.Tests.Loading;

/// <summary>The quantised file beside its config.json and tokenizer.json.</summary>
[Trait("Category", "Fixtures")]
public sealed class SmolLm2Tests(SmolLm2 smolLm2) : SmolLm2GoldenTests(smolLm2), IClassFixture<SmolLm2>;

/// <summary>The same file alone in its folder: config, tokenizer and template are those of its metadata.</summary>
[Trait("Category", "Fixtures")]
public sealed class LoneSmolLm2Tests(LoneSmolLm2 smolLm2) : SmolLm2GoldenTests(smolLm2), IClassFixture<LoneSmolLm2>
{
    [Fact]
    public void Its_config_is_the_one_that_config_json_gives()
    {
        using var beside = new SmolLm2();
        ModelConfigWriter.ToJson(smolLm2.Model.Config).ShouldBe(ModelConfigWriter.ToJson(ModelLocation.Find(beside.Path).ReadConfig()));
        smolLm2.Model.Defaults.EndTokens.ShouldBe([2]);
    }
}

/// <summary>A real model from a quantised file, end to end, against golden_gguf.json.</summary>
public abstract class SmolLm2GoldenTests(SmolLm2 smolLm2)
{
    [Fact]
    public void Float32_gives_the_golden_losses_token_for_token()
    {
        var (ids, expected, _) = GoldenText();
        var nll = smolLm2.Model.CreateScorer().Score([new ScoredRow(ids)])[0].TokenNll;
        nll.Count.ShouldBe(expected.Length);
        for (var i = 0; i < expected.Length; i++) ((double)nll[i]).ShouldBe(expected[i], 1e-3, $"token {i}");
    }

    [Fact]
    public void Bfloat16_gives_the_golden_mean_loss_within_one_percent()
    {
        var (ids, _, mean) = GoldenText();
        using var model = smolLm2.Load(BaseDType.Bf16);
        model.CreateScorer().Score([new ScoredRow(ids)])[0].MeanNll.ShouldBe(mean, 0.01 * mean);
    }

    [Theory]
    [MemberData(nameof(SmolLm2.Generations), MemberType = typeof(SmolLm2))]
    public void Float32_gives_the_golden_generations(int index)
    {
        var model = smolLm2.Model;
        var golden = smolLm2.Golden.GetProperty("generation")[index];
        var prompt = model.Tokenizer.Encode(golden.GetProperty("prompt").GetString()!, addSpecialTokens: true);
        prompt.ShouldBe(SmolLm2.Ids(golden.GetProperty("prompt_ids")));

        var options = golden.GetProperty("options");
        var row = Generate(model, prompt, GenerationOptions.From(model.Defaults) with
        {
            MaxNewTokens = options.GetProperty("max_new_tokens").GetInt32(),
            BeamCount = options.TryGetProperty("num_beams", out var beams) ? beams.GetInt32() : 1,
            RepetitionPenalty = options.TryGetProperty("repetition_penalty", out var penalty) ? penalty.GetDouble() : 1,
        });
        row.Tokens.ShouldBe(SmolLm2.Ids(golden.GetProperty("new_ids")));
        model.Tokenizer.Decode([.. row.Tokens], skipSpecialTokens: false).ShouldBe(golden.GetProperty("text").GetString());
    }

    [Fact]
    public void Float32_gives_the_golden_answers()
    {
        var model = smolLm2.Model;
        foreach (var golden in smolLm2.Golden.GetProperty("chat").EnumerateArray())
        {
            var expected = SmolLm2.Ids(golden.GetProperty("new_ids"));
            var prompt = model.Tokenizer.Encode(model.ChatTemplate.Render(golden.GetProperty("messages"), addGenerationPrompt: true), addSpecialTokens: false);
            prompt.ShouldBe(SmolLm2.Ids(golden.GetProperty("prompt_ids")));
            var row = Generate(model, prompt, GenerationOptions.From(model.Defaults) with { MaxNewTokens = expected.Length });
            row.Tokens.ShouldBe(expected);
        }
    }

    private (int[] Ids, double[] Nll, double Mean) GoldenText()
    {
        var text = smolLm2.Golden.GetProperty("text_nll");
        return (SmolLm2.Ids(text.GetProperty("ids")), [.. text.GetProperty("nll").EnumerateArray().Select(n => n.GetDouble())],
            text.GetProperty("mean").GetDouble());
    }

    private static GeneratedRow Generate(LoadedModel model, int[] prompt, GenerationOptions options) =>
        model.CreateGenerator().Generate([prompt], options, cancellation: TestContext.Current.CancellationToken)[0];
}
