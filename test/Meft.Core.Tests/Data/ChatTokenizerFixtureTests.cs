using System.Text.Json;
using Meft.Core.Chat;
using Meft.Core.Data;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Data;

/// <summary>Conversations of the assets as rows to train on, by each tokenizer's own template.</summary>
[Trait("Category", "Fixtures")]
public class ChatTokenizerFixtureTests
{
    private const string Cases = "tokenizers/expected/chat_templates.json";

    public static TheoryData<string> Tokenizers =>
        Assets.Enumerate(Cases, _ => Read().Select(c => c.GetProperty("tokenizer").GetString()!).Distinct());

    [Theory, MemberData(nameof(Tokenizers))]
    public void Every_answer_is_trained_once_with_its_end_and_no_question_is(string name)
    {
        var (tokenizer, template) = Load(name);
        var answered = 0;
        foreach (var item in Read().Where(c => c.GetProperty("tokenizer").GetString() == name && !c.TryGetProperty("error", out _)))
        {
            if (item.GetProperty("add_generation_prompt").GetBoolean() || item.GetProperty("options").EnumerateObject().Any()) continue;
            var tools = item.GetProperty("tools");
            var chat = new MessagesRow(new RowOrigin(name, 1), item.GetProperty("messages"), tools.ValueKind == JsonValueKind.Null ? null : tools);
            var rows = new RowTokenizer(tokenizer, endToken: null, trainOnPrompt: false, () => template).TokenizeRows(chat);
            var label = $"{name}, {item.GetProperty("case")}";

            // One of the rows is the whole conversation, unless none of its answers stands in it as the model gave it.
            if (rows.Count == 1) rows[0].InputIds.SequenceEqual(tokenizer.Encode(item.GetProperty("text").GetString()!, addSpecialTokens: false)).ShouldBeTrue(label);
            var runs = rows.SelectMany(row => Runs(row, tokenizer)).ToList();
            var answers = chat.Messages.EnumerateArray().Where(m => m.GetProperty("role").GetString() == "assistant").ToList();
            runs.Count.ShouldBe(answers.Count, label);
            runs.ShouldAllBe(run => run.EndsWithSpecial, label);
            foreach (var message in chat.Messages.EnumerateArray())
            {
                if (!message.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.String || content.GetString()!.Trim() is not { Length: > 3 } said) continue;
                var isAnswer = message.GetProperty("role").GetString() == "assistant";
                var words = said.Split("</think>")[^1].Trim();
                runs.Any(run => run.Text.Contains(words, StringComparison.Ordinal)).ShouldBe(isAnswer, $"{label}: {words}");
                if (isAnswer) answered++;
            }
        }
        answered.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void The_line_end_after_an_answers_end_is_not_trained()
    {
        Shown("smollm2", ("user", "Who?"), ("assistant", "Me."), ("user", "Why?"), ("assistant", "\nNo.")).ShouldBe([
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n"
            + "<|im_start|>assistant\n[[Me.<|im_end|>]]\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n[[\nNo.<|im_end|>]]\n",
        ]);
    }

    [Fact]
    public void The_beginning_of_an_answer_that_a_template_always_adds_is_not_trained() =>
        Shown("llama3", ("user", "Who?"), ("assistant", "Me.")).ShouldBe([
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWho?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
            + "[[Me.<|eot_id|>]]<|start_header_id|>assistant<|end_header_id|>\n\n",
        ]);

    [Fact]
    public void Reasoning_that_a_template_shows_of_the_last_answer_only_is_trained_for_each() =>
        Shown("qwen3", ("user", "Who?"), ("assistant", "<think>\nhm\n</think>\n\nMe."), ("user", "Why?"), ("assistant", "So.")).ShouldBe([
            "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\nMe.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
            + "[[<think>\n\n</think>\n\nSo.<|im_end|>]]\n",
            "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n[[<think>\nhm\n</think>\n\nMe.<|im_end|>]]\n",
        ]);

    private static List<string> Shown(string name, params (string Role, string Content)[] messages)
    {
        var (tokenizer, template) = Load(name);
        var json = JsonSerializer.SerializeToElement(messages.Select(m => new { role = m.Role, content = m.Content }));
        return
        [
            .. new RowTokenizer(tokenizer, null, false, () => template).TokenizeRows(new MessagesRow(new RowOrigin("f", 1), json))
                .Select(row => string.Concat(RowText.Show(row, "", tokenizer).Parts.Select(p => p.IsTrained ? $"[[{p.Text}]]" : p.Text))),
        ];
    }

    private static IEnumerable<(string Text, bool EndsWithSpecial)> Runs(TokenRow row, HuggingFaceTokenizer tokenizer)
    {
        for (var i = 0; i < row.Length; i++)
        {
            if (row.Labels[i] == TokenRow.Ignored) continue;
            var start = i;
            while (i < row.Length && row.Labels[i] != TokenRow.Ignored) i++;
            yield return (tokenizer.Decode(row.InputIds.AsSpan(start, i - start), skipSpecialTokens: false), tokenizer.IsSpecial(row.InputIds[i - 1]));
        }
    }

    private static (HuggingFaceTokenizer Tokenizer, ChatTemplate Template) Load(string name)
    {
        Assets.Require(Cases.Split('/'));
        var folder = Assets.Require("tokenizers", name);
        return (HuggingFaceTokenizer.Load(folder), ChatTemplate.Load(folder));
    }

    private static List<JsonElement> Read()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Assets.Find(Cases.Split('/'))!));
        return [.. document.RootElement.Clone().EnumerateArray()];
    }
}
