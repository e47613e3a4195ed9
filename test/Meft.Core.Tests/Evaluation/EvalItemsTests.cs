using CsCheck;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Tasks;
using Meft.Core.Tests.Data;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Evaluation;

public sealed class EvalItemsTests : IDisposable
{
    private const int Ignored = TokenRow.Ignored;
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_choice_follows_its_prompt_and_is_scored_alone()
    {
        var item = Encode("kind: choose\nprompt: ab\nchoices: \"['c', 'de']\"\nright: 0", "{}", begins: true).ShouldHaveSingleItem();
        item.Rows.Count.ShouldBe(2);
        item.Rows[0].InputIds.ShouldBe([LetterTokenizer.Begin, 'a', 'b', 'c']);
        item.Rows[0].Labels.ShouldBe([Ignored, Ignored, Ignored, 'c']);
        item.Rows[1].InputIds.ShouldBe([LetterTokenizer.Begin, 'a', 'b', 'd', 'e']);
        item.Rows[1].Labels.ShouldBe([Ignored, Ignored, Ignored, 'd', 'e']);
        item.Tokens.ShouldBe(9);
    }

    [Fact]
    public void Windows_overlap_by_what_the_stride_leaves()
    {
        var items = Encode("kind: perplexity\nwindow: 4\nstride: 2", "{\"text\": \"abcdefg\"}");
        items.Select(i => string.Concat(i.Rows[0].InputIds.Select(id => (char)id))).ShouldBe(["abc", "bcde", "defg"]);
        items.Select(i => string.Concat(i.Rows[0].Labels.Where(l => l != Ignored).Select(id => (char)id))).ShouldBe(["bc", "de", "fg"]);
        // The windows of the only text are clusters of their own.
        items.Select(i => i.Cluster).ShouldBe([0, 1, 2]);
        Encode("kind: perplexity\nwindow: 4", "{\"text\": \"abcdefg\"}\n{\"text\": \"xy\"}").Select(i => i.Cluster).ShouldBe([0, 0, 1]);
        Encode("kind: perplexity\nwindow: 4", "{\"text\": \"abcdefg\"}\n{\"text\": \"xy\"}", mostWindows: 1).Count.ShouldBe(1);
    }

    [Fact]
    public void Every_token_but_the_first_is_scored_once() =>
        Gen.Select(Gen.Int[2, 40], Gen.Int[2, 12], Gen.Int[1, 11], Gen.Bool).Where((_, window, stride, _) => stride < window).Sample((length, window, stride, begins) =>
        {
            var text = string.Concat(Enumerable.Range(0, length).Select(i => (char)('!' + i)));
            var items = Encode($"kind: perplexity\nwindow: {window}\nstride: {stride}", System.Text.Json.JsonSerializer.Serialize(new { text }), begins);
            items.ShouldAllBe(item => item.Rows[0].Length <= window && item.Rows[0].Labels[0] == Ignored);
            var scored = items.SelectMany(item => item.Rows[0].Labels).Where(label => label != Ignored).Select(id => (char)id);
            string.Concat(scored).ShouldBe(begins ? text : text[1..]);
        }, iter: 100, threads: 1);

    [Fact]
    public void A_long_prompt_loses_its_beginning_where_the_task_wants_that_and_all_choices_follow_the_same_one()
    {
        const string row = "{\"t\": \"abcdefghijklmnop\"}";
        var generate = Encode("prompt: \"{{ t }}\"\nanswers: \"'x'\"\nover_length: truncate\ndecoding: {max_new_tokens: 3}", row, begins: true).ShouldHaveSingleItem();
        Text(generate.Rows[0].InputIds[1..]).ShouldBe("ijklmnop");
        generate.Rows[0].InputIds[0].ShouldBe(LetterTokenizer.Begin);
        var choose = Encode("kind: choose\nprompt: \"{{ t }}\"\nchoices: \"['1', '234']\"\nright: 0\nover_length: truncate", row).ShouldHaveSingleItem();
        choose.Rows.Select(r => Text(r.InputIds)).ShouldBe(["hijklmnop1", "hijklmnop234"]);
        // What fits stays as it is.
        Text(Encode("prompt: abc\nanswers: \"'x'\"\nover_length: truncate\ndecoding: {max_new_tokens: 3}", "{}")[0].Rows[0].InputIds).ShouldBe("abc");

        static string Text(int[] ids) => string.Concat(ids.Select(id => (char)id));
    }

    [Theory]
    [InlineData("prompt: ab\nanswers: \"'x'\"\nover_length: truncate\ndecoding: {max_new_tokens: 12}", "{}", "may have 12 tokens, which leaves the prompt none of the model's 12 positions. Allowed: at most 11")]
    [InlineData("prompt: \"{{ t }}\"\nanswers: \"'x'\"", "{\"t\": \"aaaaaaaaaaaa\"}", "rows.jsonl:1: the prompt has 12 tokens. Allowed: fewer than the model's 12 positions")]
    [InlineData("prompt: \"{{ t }}\"\nanswers: \"'x'\"", "{\"t\": \"\"}", "rows.jsonl:1: the prompt has no token")]
    [InlineData("kind: choose\nprompt: aaaaaaaaaa\nchoices: \"['b', 'ccc']\"\nright: 0", "{}", "rows.jsonl:1: the prompt with a choice has 13 tokens. Allowed: at most 12")]
    [InlineData("kind: perplexity", "{\"text\": \"a\"}", "rows.jsonl:1: the text has 1 tokens. Allowed: at least two")]
    [InlineData("kind: perplexity\nstride: 12", "{\"text\": \"ab\"}", "the task's stride is 12 and a window has 12 tokens")]
    [InlineData("kind: perplexity", "{\"text\": \"a\u00ff\"}", "outside of the model's vocabulary")]
    public void What_does_not_fit_the_model_is_refused_with_its_line(string task, string row, string problem) =>
        Should.Throw<InvalidInputException>(() => Encode(task, row)).Message.ShouldContain(problem);

    public void Dispose() => _folder.Dispose();

    private IReadOnlyList<EvalItem> Encode(string task, string rows, bool begins = false, int? mostWindows = null)
    {
        var questions = EvalQuestions.Read(EvalTask.Load(_folder.Write("task.yaml", task)), _folder.Write("rows.jsonl", rows));
        return EvalItems.Encode(questions, new LetterTokenizer(begins), new ModelLimits(203, 12, null), mostWindows);
    }
}
