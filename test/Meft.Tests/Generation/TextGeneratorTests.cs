using Meft.Core.Errors;
using Meft.Generation;
using Meft.Models;
using Meft.Tests.Models;
using Shouldly;

namespace Meft.Tests.Generation;

public sealed class TextGeneratorTests : IDisposable
{
    private static readonly int[][] Prompts = [[1, 2, 3, 4, 5], [9], [7, 8]];

    private readonly Decoder _decoder = TinyDecoder.Create(TinyDecoder.Llama);

    public static TheoryData<GenerationOptions, string> WrongOptions => new()
    {
        { new() { Temperature = 0 }, "temperature is 0" },
        { new() { TopK = -1 }, "top_k is -1" },
        { new() { TopP = 1.5 }, "top_p is 1.5" },
        { new() { MinP = double.NaN }, "min_p is NaN" },
        { new() { TypicalP = 0 }, "typical_p is 0" },
        { new() { RepetitionPenalty = 0 }, "repetition_penalty is 0" },
        { new() { MaxNewTokens = -1 }, "max_new_tokens is -1" },
        { new() { BeamCount = 0 }, "num_beams is 0" },
        { new() { BeamCount = 2, Sample = true }, "do_sample is true and num_beams is 2" },
    };

    public void Dispose() => _decoder.Dispose();

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    public void A_prompt_gives_the_same_alone_and_in_a_batch(bool sample, int beams)
    {
        var options = new GenerationOptions { MaxNewTokens = 9, Sample = sample, Temperature = 0.7, TopK = 20, Seed = 5, BeamCount = beams, EndTokens = [11, 12, 13] };
        var together = Generate(Prompts, options);
        for (var row = 0; row < Prompts.Length; row++)
        {
            // A row's draws depend on its index, so the others stay but are different.
            int[][] others = [.. Prompts.Select((prompt, i) => i == row ? prompt : [20, 21])];
            Generate(others, options)[row].Tokens.ShouldBe(together[row].Tokens);
        }
    }

    [Fact]
    public void Sampling_depends_on_the_seed()
    {
        var options = new GenerationOptions { MaxNewTokens = 20, Sample = true, Seed = 1 };
        Generate(Prompts, options)[0].Tokens.ShouldBe(Generate(Prompts, options)[0].Tokens);
        Generate(Prompts, options with { Seed = 2 })[0].Tokens.ShouldNotBe(Generate(Prompts, options)[0].Tokens);
    }

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        float[] scores = [MathF.Log(0.5f), float.NegativeInfinity, MathF.Log(0.2f), MathF.Log(0.3f)];
        var random = new RandomStream(3, 0);
        var counts = new int[4];
        for (var i = 0; i < 20_000; i++) counts[TokenChoice.Draw(scores, random)]++;
        counts[1].ShouldBe(0);
        (counts[0] / 20_000.0).ShouldBe(0.5, 0.02);
        (counts[2] / 20_000.0).ShouldBe(0.2, 0.02);
    }

    [Fact]
    public void An_end_token_ends_its_row_only()
    {
        var free = Generate(Prompts, new() { MaxNewTokens = 6 });
        free.ShouldAllBe(row => row.Finish == FinishReason.Length && row.Tokens.Count == 6);
        var end = free[1].Tokens[2];
        var at = free.Select(row => row.Tokens.ToList().IndexOf(end)).ToArray();
        var rows = Generate(Prompts, new() { MaxNewTokens = 6, EndTokens = [end] });
        for (var row = 0; row < rows.Count; row++)
        {
            rows[row].Tokens.ShouldBe(free[row].Tokens.Take(at[row] < 0 ? 6 : at[row] + 1));
            rows[row].Finish.ShouldBe(at[row] < 0 ? FinishReason.Length : FinishReason.Stop);
        }
    }

    [Fact]
    public void Tokens_are_told_as_they_come_and_the_listener_can_end_a_row()
    {
        var told = Prompts.Select(_ => new List<int>()).ToArray();
        var rows = new TextGenerator(_decoder).Generate(Prompts, new() { MaxNewTokens = 5 }, (row, token) =>
        {
            told[row].Add(token);
            return row != 2 || told[2].Count < 2;
        }, cancellation: TestContext.Current.CancellationToken);
        rows.Select(row => row.Tokens).ShouldBe(told);
        rows.Select(row => row.Finish).ShouldBe([FinishReason.Length, FinishReason.Length, FinishReason.Stop]);
        rows.Select(row => row.Tokens.Count).ShouldBe([5, 5, 2]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Cancelling_returns_what_has_come_so_far(int beams)
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var rows = new TextGenerator(_decoder).Generate(Prompts, new() { MaxNewTokens = 30, BeamCount = beams }, cancellation: source.Token);
        rows.ShouldAllBe(row => row.Finish == FinishReason.Cancelled && row.Tokens.Count == 1);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    public void Logits_that_are_not_finite_are_an_error_that_names_row_and_position(bool sample, int beams)
    {
        // The embedding of one token is spoilt, so that only the row that holds it is.
        using var broken = TinyDecoder.Create(TinyDecoder.Llama);
        using (var embedding = broken.Parameters["model.embed_tokens.weight"].detach()) embedding[9].FillWith(float.NaN);
        var error = Should.Throw<RunFailedException>(() => new TextGenerator(broken).Generate(
            Prompts, new() { MaxNewTokens = 4, Sample = sample, Seed = 3, BeamCount = beams }, firstIndex: 16,
            cancellation: TestContext.Current.CancellationToken));
        error.ExitCode.ShouldBe(1);
        error.Location.ShouldBe("prompt 17");
        error.Problem.ShouldBe("the model gives a logit of NaN for the token at position 1");
        error.NextStep.ShouldNotBeNull();
    }

    [Fact]
    public void A_row_ends_where_the_model_does()
    {
        using var shorter = TinyDecoder.Create(TinyDecoder.Llama with { MaxPositions = 7 });
        foreach (var beams in new[] { 1, 2 })
        {
            var rows = new TextGenerator(shorter).Generate(
                Prompts, new() { MaxNewTokens = 30, BeamCount = beams }, cancellation: TestContext.Current.CancellationToken);
            rows.Select(row => row.Tokens.Count).ShouldBe([2, 6, 5]);
            rows.ShouldAllBe(row => row.Finish == FinishReason.Length);
        }
    }

    [Fact]
    public void A_minimum_of_new_tokens_holds_back_the_end()
    {
        var first = Generate([[9]], new() { MaxNewTokens = 1 })[0].Tokens[0];
        Generate([[9]], new() { MaxNewTokens = 4, EndTokens = [first], MinNewTokens = 2 })[0].Tokens.Take(2).ShouldNotContain(first);
        Generate([[9]], new() { MaxNewTokens = 4, EndTokens = [first], MinLength = 2 })[0].Tokens[0].ShouldNotBe(first);
    }

    [Fact]
    public void More_beams_find_nothing_less_likely()
    {
        var greedy = Generate(Prompts, new() { MaxNewTokens = 6 });
        var beams = Generate(Prompts, new() { MaxNewTokens = 6, BeamCount = 4 });
        for (var row = 0; row < Prompts.Length; row++)
            Score(Prompts[row], beams[row].Tokens).ShouldBeGreaterThanOrEqualTo(Score(Prompts[row], greedy[row].Tokens) - 1e-4);

        double Score(int[] prompt, IReadOnlyList<int> tokens) =>
            -new Meft.Evaluation.SequenceScorer(_decoder).Score([new([.. prompt, .. tokens])])[0].TokenNll.TakeLast(tokens.Count).Sum();
    }

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void Options_out_of_range_are_refused(GenerationOptions options, string part) =>
        Should.Throw<InvalidInputException>(() => Generate(Prompts, options)).Message.ShouldContain(part);

    [Fact]
    public void Wrong_prompts_are_refused_by_number()
    {
        Should.Throw<InvalidInputException>(() => Generate([[1], []], new())).Message.ShouldContain("prompt 1 has no token");
        Should.Throw<InvalidInputException>(() => Generate([[1], [48]], new())).Message.ShouldContain("prompt 1 holds the id 48");
        Should.Throw<InvalidInputException>(() => Generate([[.. new int[64]]], new())).Message.ShouldContain("prompt 0 has 64 tokens");
        Generate([], new()).ShouldBeEmpty();
        Generate([[1]], new() { MaxNewTokens = 0 })[0].Tokens.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    public void Generating_leaves_no_tensor_behind(bool sample, int beams) => TinyDecoder.LiveTensorsAdded(
        () => Generate(Prompts, new() { MaxNewTokens = 5, Sample = sample, BeamCount = beams, EndTokens = [3, 4, 5] })).ShouldBe(0);

    private IReadOnlyList<GeneratedRow> Generate(int[][] prompts, GenerationOptions options) =>
        new TextGenerator(_decoder).Generate(prompts, options, cancellation: TestContext.Current.CancellationToken);
}
