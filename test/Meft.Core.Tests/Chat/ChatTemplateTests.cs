using System.Text.Json;
using Meft.Core.Chat;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Chat;

public sealed class ChatTemplateTests : IDisposable
{
    private static readonly ChatMessage[] Conversation = [new("user", "Hi"), new("assistant", "Hello")];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_of_its_own_wins_over_the_configuration()
    {
        WriteConfig("{{ 'config' }}");
        Load().Render(Conversation, addGenerationPrompt: false).ShouldBe("config");
        _folder.Write(ChatTemplate.FileName, "{{ 'file' }}");
        Load().Render(Conversation, addGenerationPrompt: false).ShouldBe("file");
        Load().Text.ShouldBe("{{ 'file' }}");
    }

    [Fact]
    public void A_model_without_a_template_is_named()
    {
        ChatTemplate.TryLoad(_folder.Path).ShouldBeNull();
        Should.Throw<ChatTemplateException>(Load).Message.ShouldContain("the model has no chat template");
    }

    [Fact]
    public void Special_tokens_and_the_prompt_are_variables()
    {
        WriteConfig("{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m['content'] }}{{ eos_token }}{% endfor %}"
            + "{% if add_generation_prompt %}?{% endif %}{{ pad_token is defined }}{{ tools is none }}");
        Load().Render(Conversation, addGenerationPrompt: true).ShouldBe("<s>user: Hi</s>assistant: Hello</s>?FalseTrue");
        Load().Render(Conversation, addGenerationPrompt: false).ShouldBe("<s>user: Hi</s>assistant: Hello</s>FalseTrue");
    }

    [Fact]
    public void Further_variables_reach_the_template()
    {
        WriteConfig("{{ tools | tojson }}{{ enable_thinking }}{{ bos_token }}");
        var variables = new Dictionary<string, JsonElement>
        {
            ["tools"] = JsonSerializer.SerializeToElement(new[] { new { name = "f", n = 1.0 } }),
            ["enable_thinking"] = JsonSerializer.SerializeToElement(false),
            ["bos_token"] = JsonSerializer.SerializeToElement("other"),
        };
        Load().Render(Conversation, addGenerationPrompt: false, variables).ShouldBe("""[{"name": "f", "n": 1}]Falseother""");
    }

    [Fact]
    public void Messages_may_have_any_members()
    {
        WriteConfig("{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{{ m.tool_calls[0].id }}{% endfor %}");
        using var messages = JsonDocument.Parse("""[{"role": "user", "content": [{"type": "text", "text": "a"}, {"text": "b"}], "tool_calls": [{"id": 7}]}]""");
        Load().Render(messages.RootElement, addGenerationPrompt: false).ShouldBe("ab7");
    }

    [Fact]
    public void A_refusal_is_passed_on_with_its_line()
    {
        WriteConfig("{{ 'x' }}\n\n{% if messages[0].role != 'system' %}\n{{ raise_exception('System first, not ' + messages[0].role) }}{% endif %}");
        var error = Should.Throw<ChatTemplateException>(() => Load().Render(Conversation, addGenerationPrompt: false));
        error.RaisedText.ShouldBe("System first, not user");
        error.Line.ShouldBe(4);
        error.ExitCode.ShouldBe(2);
        error.Message.ShouldContain("tokenizer_config.json (chat template, line 4): the template refuses the conversation: System first, not user.");
    }

    [Fact]
    public void A_failure_is_named_with_its_line()
    {
        WriteConfig("{% for m in messages %}\n{{ m.content + m.nothing }}\n{% endfor %}");
        var error = Should.Throw<ChatTemplateException>(() => Load().Render(Conversation, addGenerationPrompt: false));
        error.RaisedText.ShouldBeNull();
        error.Message.ShouldContain("line 2): 'dict object' has no attribute 'nothing'.");
    }

    [Fact]
    public void A_template_that_cannot_be_parsed_is_named()
    {
        WriteConfig("a\n{% for m in messages %}\nb");
        Should.Throw<ChatTemplateException>(Load).Message.ShouldContain("line 3): Unexpected end of template");
    }

    [Fact]
    public void Half_a_surrogate_pair_in_a_message_is_an_error()
    {
        WriteConfig("{{ messages[0].content }}");
        using var messages = JsonDocument.Parse("""[{"content": "\ud800"}]""");
        Should.Throw<ChatTemplateException>(() => Load().Render(messages.RootElement, addGenerationPrompt: false)).Message.ShouldContain("not valid Unicode");
    }

    [Fact]
    public void The_time_is_the_clocks()
    {
        var template = ChatTemplate.Parse(
            "{{ strftime_now('%d %b %Y, %A %-d.%-m.%y %H:%M:%S %I%p %j %% %B') }}", "t", new Dictionary<string, string>(), new FixedClock());
        template.Render(Conversation, addGenerationPrompt: false).ShouldBe("03 Feb 2026, Tuesday 3.2.26 14:05:09 02PM 034 % February");
        var unknown = ChatTemplate.Parse("{{ strftime_now('%Q') }}", "t", new Dictionary<string, string>());
        Should.Throw<ChatTemplateException>(() => unknown.Render(Conversation, addGenerationPrompt: false)).Message.ShouldContain("%Q is not supported");
    }

    private ChatTemplate Load() => ChatTemplate.Load(_folder.Path);

    private void WriteConfig(string template) => _folder.Write(
        TokenizerConfig.FileName,
        JsonSerializer.Serialize(new Dictionary<string, string?>
        {
            ["bos_token"] = "<s>",
            ["eos_token"] = "</s>",
            ["pad_token"] = null,
            ["chat_template"] = template,
        }));

    private sealed class FixedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 2, 3, 14, 5, 9, TimeSpan.Zero);
    }
}
