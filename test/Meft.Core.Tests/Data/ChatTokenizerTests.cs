using System.Text.Json;
using Meft.Core.Chat;
using Meft.Core.Data;
using Shouldly;

namespace Meft.Core.Tests.Data;

/// <summary>Answers found in what templates of many kinds render; with a tokenizer of letters, S stands for an end token.</summary>
public class ChatTokenizerTests
{
    private const string ChatMl = "{% for m in messages %}<{{ m.role }}>\n{{ m.content }}~\n{% endfor %}{% if add_generation_prompt %}<assistant>\n{% endif %}";

    [Fact]
    public void Answers_are_trained_with_their_end_and_nothing_else_is()
    {
        var row = Rows(ChatMl, "user:a", "assistant:bc", "user:d", "assistant:e").ShouldHaveSingleItem();
        Marked(row).ShouldBe("<user>\na~\n<assistant>\n[bc~]\n<user>\nd~\n<assistant>\n[e~]\n");
        row.TrainedTokens.ShouldBe(5);
    }

    [Fact]
    public void A_conversation_may_begin_with_an_answer_and_end_with_a_question() =>
        Marked(Rows(ChatMl, "assistant:a", "user:b").ShouldHaveSingleItem()).ShouldBe("<assistant>\n[a~]\n<user>\nb~\n");

    [Fact]
    public void A_default_that_the_template_adds_is_not_trained() =>
        Marked(Rows("{% if messages[0].role != 'system' %}!be good~\n{% endif %}" + ChatMl, "assistant:a").ShouldHaveSingleItem())
            .ShouldBe("!be good~\n<assistant>\n[a~]\n");

    [Theory]
    // Always the beginning of an answer at the end, asked for or not.
    [InlineData("{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}~{% endfor %}<assistant>", "<user>a~<assistant>[b~]<assistant>")]
    // Never one.
    [InlineData("{% for m in messages %}<{{ m.role }}>{{ m.content }}~{% endfor %}", "<user>a~<assistant>[b~]")]
    // Answers without a name before them, white space around them.
    [InlineData("{% for m in messages %}{% if m.role == 'user' %}[{{ m.content }}]{% else %} {{ m.content }} ~{% endif %}{% endfor %}", "[a] [b ~]")]
    // No end token at all.
    [InlineData("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}", "user: a\nassistant: [b]\n")]
    // The template begins an answer with something that it does not keep.
    [InlineData(
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}~{% endfor %}{% if add_generation_prompt %}<assistant><think>{% endif %}", "<user>a~<assistant>[b~]")]
    public void Templates_of_many_kinds_show_their_answers(string template, string expected) =>
        Marked(Rows(template, "user:a", "assistant:b").ShouldHaveSingleItem()).ShouldBe(expected);

    [Fact]
    public void Marks_of_the_template_count_first_and_the_end_token_is_added_to_them()
    {
        const string Template = "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
            + "{% else %}{{ m.content }}{% endif %}~\n{% endfor %}";
        Marked(Rows(Template, "user:a", "assistant:b", "user:c", "assistant:d").ShouldHaveSingleItem())
            .ShouldBe("<user>a~\n<assistant>[b~]\n<user>c~\n<assistant>[d~]\n");
    }

    [Fact]
    public void Answers_that_the_template_changes_later_have_rows_of_their_own()
    {
        // Reasoning is shown of the last answer only.
        const string Template = "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' and not loop.last %}{{ m.content.split('|')[-1] }}"
            + "{% else %}{{ m.content }}{% endif %}~{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
        Rows(Template, "user:a", "assistant:why|b", "user:c", "assistant:how|d").Select(Marked).ShouldBe([
            "<user>a~<assistant>b~<user>c~<assistant>[how|d~]", "<user>a~<assistant>[why|b~]",
        ]);
    }

    [Fact]
    public void The_whole_conversation_is_trained_where_asked()
    {
        var row = Rows(ChatMl, trainOnPrompt: true, "user:a", "assistant:b").ShouldHaveSingleItem();
        row.Labels.ShouldBe(row.InputIds);
    }

    [Theory]
    [InlineData("{% for m in messages %}{{ m.content }}{{ m.content }}~{% endfor %}")]
    [InlineData("{% for m in messages %}{{ m.content | length }}~{% endfor %}")]
    public void A_template_that_does_not_show_the_answer_is_an_error(string template)
    {
        var e = Should.Throw<RowException>(() => Rows(template, "user:a", "assistant:b"));
        e.Problem.ShouldContain("does not show where message 1");
        e.Location.ShouldBe("f.jsonl:3");
        e.NextStep.ShouldNotBeNull().ShouldContain("train_on_prompt");
    }

    [Fact]
    public void What_the_template_refuses_is_an_error_of_the_row() =>
        Should.Throw<RowException>(() => Rows("{{ raise_exception('no ' + messages[0].role) }}", "user:a")).Problem.ShouldContain("no user");

    [Fact]
    public void A_conversation_without_an_answer_has_no_label() =>
        Rows(ChatMl, "user:a").ShouldHaveSingleItem().TrainedTokens.ShouldBe(0);

    [Fact]
    public void An_empty_answer_is_not_trained() =>
        Marked(Rows(ChatMl, "user:a", "assistant:", "user:b", "assistant:c").ShouldHaveSingleItem())
            .ShouldBe("<user>\na~\n<assistant>\n~\n<user>\nb~\n<assistant>\n[c~]\n");

    [Fact]
    public void Tools_are_shown_to_the_template()
    {
        var messages = JsonSerializer.SerializeToElement(new[] { new { role = "user", content = "a" }, new { role = "assistant", content = "b" } });
        var chat = new MessagesRow(new RowOrigin("f", 1), messages, JsonSerializer.SerializeToElement(new[] { new { name = "t" } }));
        Marked(new RowTokenizer(new LetterTokenizer(), null, false, () => Parse("{% for t in tools %}{{ t.name }};{% endfor %}" + ChatMl)).TokenizeRows(chat)[0])
            .ShouldStartWith("t;<user>");
    }

    private static ChatTemplate Parse(string template) => ChatTemplate.Parse(template, "t", new Dictionary<string, string>());

    private static IReadOnlyList<TokenRow> Rows(string template, params string[] messages) => Rows(template, trainOnPrompt: false, messages);

    private static IReadOnlyList<TokenRow> Rows(string template, bool trainOnPrompt, params string[] messages)
    {
        var json = JsonSerializer.SerializeToElement(messages.Select(m => m.Split(':', 2)).Select(m => new { role = m[0], content = m[1] }));
        // "~" is the model's end token.
        return new RowTokenizer(new LetterTokenizer(), '~', trainOnPrompt, () => Parse(template)).TokenizeRows(new MessagesRow(new RowOrigin("f.jsonl", 3), json));
    }

    /// <summary>The row's text with its trained parts in brackets.</summary>
    private static string Marked(TokenRow row) =>
        string.Concat(RowText.Show(row, "", new LetterTokenizer()).Parts.Select(p => p.IsTrained ? $"[{p.Text}]" : p.Text));
}
