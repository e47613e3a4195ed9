using CsCheck;
using Meft.Core.Data;
using Shouldly;

namespace Meft.Core.Tests.Data;

public class RowTokenizerTests
{
    private const int B = LetterTokenizer.Begin, E = LetterTokenizer.End, S = LetterTokenizer.Space, No = TokenRow.Ignored;
    private static readonly RowOrigin Origin = new("f", 1);

    private static RowTokenizer Tokenizer(bool begins = true, bool addsSpace = false, bool trainOnPrompt = false, int? end = E) =>
        new(new LetterTokenizer(begins, addsSpace), end, trainOnPrompt);

    [Fact]
    public void A_text_is_trained_whole_with_its_end()
    {
        var row = Tokenizer().Tokenize(new TextRow(Origin, "ab"));
        row.InputIds.ShouldBe([B, 'a', 'b', E]);
        row.Labels.ShouldBe([No, 'a', 'b', E]);
        row.TrainedTokens.ShouldBe(3);
        row.Origin.ShouldBe(Origin);
    }

    [Fact]
    public void No_beginning_token_is_invented()
    {
        var row = Tokenizer(begins: false).Tokenize(new TextRow(Origin, "ab"));
        row.InputIds.ShouldBe(['a', 'b', E]);
        row.Labels.ShouldBe(['a', 'b', E]);
        row.TrainedTokens.ShouldBe(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_completion_is_trained_and_its_prompt_only_where_asked(bool trainOnPrompt)
    {
        var row = Tokenizer(trainOnPrompt: trainOnPrompt).Tokenize(new PromptCompletionRow(Origin, "ab", " c"));
        row.InputIds.ShouldBe([B, 'a', 'b', ' ', 'c', E]);
        row.Labels.ShouldBe(trainOnPrompt ? [No, 'a', 'b', ' ', 'c', E] : [No, No, No, ' ', 'c', E]);
    }

    [Theory]
    [InlineData(" c", "S c")]
    [InlineData("  c", "S S c")]
    [InlineData("c", "c")]
    [InlineData(" ", "S")]
    public void A_tokenizer_that_puts_a_space_before_texts_invents_none_between_prompt_and_completion(string completion, string expected)
    {
        var row = Tokenizer(addsSpace: true).Tokenize(new PromptCompletionRow(Origin, "a", completion));
        int[] after = [.. expected.Split(' ').Select(p => p == "S" ? S : p[0])];
        row.InputIds.ShouldBe([B, S, 'a', .. after, E]);
    }

    [Fact]
    public void Ids_are_taken_as_they_are()
    {
        var labelled = Tokenizer().Tokenize(new TokenIdsRow(Origin, [5, 6, 7], [No, No, 7]));
        labelled.InputIds.ShouldBe([5, 6, 7]);
        labelled.Labels.ShouldBe([No, No, 7]);
        Tokenizer().Tokenize(new TokenIdsRow(Origin, [5, 6, 7], null)).TrainedTokens.ShouldBe(2);
    }

    [Fact]
    public void A_prompt_alone_has_no_trained_label_and_no_end()
    {
        var row = Tokenizer(trainOnPrompt: true).Tokenize(new PromptRow(Origin, "ab"));
        row.InputIds.ShouldBe([B, 'a', 'b']);
        row.TrainedTokens.ShouldBe(0);
    }

    [Fact]
    public void A_model_without_an_end_token_has_none_added() =>
        Tokenizer(end: null).Tokenize(new TextRow(Origin, "ab")).InputIds.ShouldBe([B, 'a', 'b']);

    [Fact]
    public void A_long_text_is_cut_and_only_its_last_row_ends()
    {
        var tokenizer = Tokenizer();
        var rows = tokenizer.Cut(tokenizer.Tokenize(new TextRow(Origin, "abcdefg")), 4).ToList();
        rows.Select(r => string.Join(' ', r.InputIds)).ShouldBe([$"{B} 97 98 99", $"{B} 100 101 102", $"{B} 103 {E}"]);
    }

    [Fact]
    public void No_row_of_a_cut_text_is_the_end_token_alone()
    {
        var tokenizer = Tokenizer();
        var rows = tokenizer.Cut(tokenizer.Tokenize(new TextRow(Origin, "abcdef")), 4).ToList();
        rows.Select(r => string.Join(' ', r.InputIds)).ShouldBe([$"{B} 97 98 99", $"{B} 100 101", $"{B} 102 {E}"]);
    }

    [Fact]
    public void A_cut_text_loses_no_token() =>
        Gen.Select(Gen.String[Gen.Char['a', 'z'], 1, 60], Gen.Int[3, 20], Gen.Bool).Sample((text, maxLength, begins) =>
        {
            var tokenizer = Tokenizer(begins);
            var whole = tokenizer.Tokenize(new TextRow(Origin, text));
            var rows = tokenizer.Cut(whole, maxLength).ToList();
            rows.ShouldAllBe(r => r.Length <= maxLength && r.TrainedTokens > 0 && r.Labels.Length == r.Length);
            rows.SelectMany(r => r.InputIds.Where(i => i != B)).ShouldBe(whole.InputIds.Where(i => i != B));
        });
}
