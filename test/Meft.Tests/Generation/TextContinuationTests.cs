using Meft.Core.Errors;
using Meft.Generation;
using Meft.Loading;
using Meft.Tests.Models;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Generation;

public class TextContinuationTests
{
    private static readonly int[][] Prompts = [[1, 5], [9, 2, 7], [4], [6, 7, 8, 9], [2, 1]];

    [Theory]
    [Trait("Category", "Fixtures")]
    [InlineData("")]
    [InlineData("Once upon a time")]
    [InlineData("Lily said: 😀")]
    [InlineData("日本")]
    public void The_text_is_what_follows_the_prompt_in_the_whole_text(string prompt)
    {
        using var model = LoadedModel.Load(Assets.Require("models", "stories260K"), cancellation: TestContext.Current.CancellationToken);
        var ids = model.Tokenizer.Encode(prompt, addSpecialTokens: true);
        var streamed = "";
        var row = new TextContinuation(model.CreateGenerator(), model.Tokenizer)
            .Continue([ids], new GenerationOptions { MaxNewTokens = 30 }, (_, text) => streamed += text, TestContext.Current.CancellationToken).Single();

        var whole = model.Tokenizer.Decode([.. ids, .. row.OutputIds], skipSpecialTokens: true);
        row.Text.ShouldBe(whole[model.Tokenizer.Decode(ids, skipSpecialTokens: true).Length..]);
        streamed.ShouldBe(row.Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tokens_do_not_depend_on_the_batch(bool sample)
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        var options = new GenerationOptions { MaxNewTokens = 9, Sample = sample, Seed = 11, EndTokens = [3] };
        var one = Continue(1);
        foreach (var size in new[] { 2, 3, 16 }) Continue(size).ShouldBe(one);
        one.Count.ShouldBe(Prompts.Length);

        List<string> Continue(int batch) => [.. new TextContinuation(new TextGenerator(decoder), null) { BatchSize = batch }
            .Continue(Prompts, options, cancellation: TestContext.Current.CancellationToken)
            .Select(row => $"{row.Text} {string.Join(',', row.OutputIds)} {row.Finish}")];
    }

    [Fact]
    public void After_a_cancellation_no_further_batch_comes()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        using var source = new CancellationTokenSource();
        var continuation = new TextContinuation(new TextGenerator(decoder), null) { BatchSize = 2 };
        var rows = new List<GeneratedText>();
        foreach (var row in continuation.Continue(Prompts, new GenerationOptions { MaxNewTokens = 3 }, cancellation: source.Token))
        {
            rows.Add(row);
            if (rows.Count == 2) source.Cancel();
        }
        rows.Count.ShouldBe(2);
    }

    [Fact]
    public void Stop_strings_need_a_tokenizer_and_letters()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        Refused(["stop"]).ShouldContain("has no tokenizer");
        Refused([""]).ShouldContain("a stop string is empty");

        string Refused(string[] stops) => Should.Throw<InvalidInputException>(() => new TextContinuation(new TextGenerator(decoder), null) { StopStrings = stops }
            .Continue(Prompts, new GenerationOptions(), cancellation: TestContext.Current.CancellationToken)).Message;
    }
}
