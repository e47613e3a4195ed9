using System.Text.Json;
using Meft.Core.Errors;
using Meft.Evaluation;
using Meft.Models;
using Meft.Tests.Models;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Evaluation;

public class SequenceScorerTests
{
    [Fact]
    [Trait("Category", "Fixtures")]
    public void Stories260K_gives_its_golden_losses_and_logits()
    {
        var folder = Assets.Require("models", "stories260K");
        using var golden = JsonDocument.Parse(File.ReadAllText(Assets.Require("fixtures", "stories260K_golden.json")));
        using var decoder = Decoder.Load(folder, CPU);
        int[] ids = [.. golden.RootElement.GetProperty("line0_ids").EnumerateArray().Select(id => id.GetInt32())];
        double[] expected = [.. golden.RootElement.GetProperty("line0_nll").EnumerateArray().Select(nll => nll.GetDouble())];

        var score = new SequenceScorer(decoder).Score([new ScoredRow(ids)]).ShouldHaveSingleItem();
        score.TokenNll.Count.ShouldBe(expected.Length);
        for (var i = 0; i < expected.Length; i++) ((double)score.TokenNll[i]).ShouldBe(expected[i], 1e-4);

        using var scope = NewDisposeScope();
        long[] prompt = [.. golden.RootElement.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt64())];
        double[] logits = [.. golden.RootElement.GetProperty("logits_fp64_first16").EnumerateArray()
            .SelectMany(row => row.EnumerateArray().Select(logit => logit.GetDouble()))];
        using var layout = TokenLayout.FromLengths([prompt.Length], CPU);
        using var noGradients = no_grad();
        var ours = decoder.Logits(decoder.Forward(tensor(prompt), layout));
        TinyModel.Difference(ours.flatten(), tensor(logits)).ShouldBeLessThan(1e-4);
    }

    [Fact]
    public void Only_labelled_tokens_count_and_rows_do_not_see_each_other()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        var scorer = new SequenceScorer(decoder);
        int[] first = [1, 5, 9, 2, 7], second = [3, 3, 8];
        var alone = scorer.Score([new(first)])[0];
        var both = scorer.Score([new(first, [-100, -100, 9, -100, 7]), new(second)]);
        both[0].Tokens.ShouldBe(5);
        both[0].TokenNll.Count.ShouldBe(2);
        both[0].TokenNll[0].ShouldBe(alone.TokenNll[1], 1e-5f);
        both[0].TokenNll[1].ShouldBe(alone.TokenNll[3], 1e-5f);
        both[1].TokenNll.Count.ShouldBe(2);
        both[1].Nll.ShouldBe(scorer.Score([new(second)])[0].Nll, 1e-5);
        both[1].Perplexity.ShouldBe(Math.Exp(both[1].Nll / 2), 1e-9);
    }

    [Fact]
    public void Wrong_rows_are_refused_with_their_number()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama with { MaxPositions = 4 });
        var scorer = new SequenceScorer(decoder);
        Refused([new([1, 2]), new([])]).ShouldContain("row 1 has no token");
        Refused([new([1, 2, 3, 4, 5])]).ShouldContain("row 0 has 5 tokens. Allowed: at most 4");
        Refused([new([1, 900])]).ShouldContain("row 0 holds the id 900");
        Refused([new([1, 2], [1])]).ShouldContain("2 tokens but 1 labels");

        string Refused(ScoredRow[] rows) => Should.Throw<InvalidInputException>(() => scorer.Score(rows)).Message;
    }

    [Fact]
    public void Scoring_leaves_no_tensor_behind()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        var scorer = new SequenceScorer(decoder);
        TinyDecoder.LiveTensorsAdded(() => scorer.Score([new([1, 5, 9]), new([3, 8])])).ShouldBe(0);
    }
}
