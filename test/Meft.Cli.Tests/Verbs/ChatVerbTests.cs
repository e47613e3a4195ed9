using System.Runtime.InteropServices;
using System.Text.Json;
using Meft.Cli.CommandLine;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class ChatVerbTests : IDisposable
{
    private const string Template = "{% for m in messages %}{{ m.content }}{% endfor %}";

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void An_answer_is_what_generate_gives_for_the_same_conversation()
    {
        var first = Generated("""{"role":"user","content":"ab"}""");
        var second = Generated($$"""{"role":"user","content":"ab"},{"role":"assistant","content":"{{first}}"},{"role":"user","content":"c"}""");
        var run = Chat("ab\n\nc\n");
        (run.ExitCode, run.Output).ShouldBe((0, $"{first}\n{second}\n"), run.Error);
    }

    [Fact]
    public void The_history_follows_the_commands()
    {
        var run = Chat("/system b\nab\n/undo\n/undo\nc\n/history\n/reset\n/history\n/system\n/history\n/quit\nab\n");
        run.ExitCode.ShouldBe(0, run.Error);
        var lines = run.Output.Split('\n');
        lines.Length.ShouldBe(7);
        lines[2..].ShouldBe(["system: b", "user: c", $"assistant: {lines[1]}", "system: b", ""]);
        run.Error.ShouldContain("(taken back)\n(there is nothing to take back)\n");
    }

    [Fact]
    public void A_saved_conversation_is_a_row_for_generate()
    {
        var file = _folder.File("chat.jsonl");
        var answer = Chat($"ab\n/save {file}\n").Output.TrimEnd('\n');
        File.ReadAllText(file).ShouldBe(
            $$"""{"messages":[{"role":"user","content":"ab"},{"role":"assistant","content":"{{answer}}"}]}""" + "\n");
    }

    [Fact]
    public void Help_lists_the_commands()
    {
        var run = Chat("/help\n");
        (run.ExitCode, run.Output).ShouldBe((0, ""));
        foreach (var command in new[] { "help", "reset", "history", "undo", "system", "save", "quit" }) run.Error.ShouldContain($"/{command} ");
    }

    [Theory]
    [InlineData("/hsitory", "'/hsitory' is no command. Allowed: /help /reset /history /undo /system /save /quit. Did you mean /history?")]
    [InlineData("/save", "/save names no file")]
    [InlineData("abcabcabcabcabcabcabcabcabc", "the conversation has become 18 tokens long. Allowed: fewer than the model's 16 positions")]
    public void What_cannot_be_done_ends_a_piped_conversation_and_not_a_typed_one(string line, string problem)
    {
        var piped = Chat($"{line}\nab\n");
        (piped.ExitCode, piped.Output).ShouldBe((2, ""));
        piped.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);

        var typed = Chat($"{line}\n/history\n/system b\n/history\n", inputIsTerminal: true);
        (typed.ExitCode, typed.Output).ShouldBe((0, "system: b\n"));
        typed.Error.ShouldContain($"> error: {problem}");
    }

    [Fact]
    public void A_conversation_that_cannot_be_saved_goes_on_when_typed()
    {
        var nowhere = _folder.File("nowhere/chat.jsonl");
        Chat($"/save {nowhere}\n").ExitCode.ShouldNotBe(0);
        var typed = Chat($"/save {nowhere}\n/system b\n/history\n", inputIsTerminal: true);
        (typed.ExitCode, typed.Output).ShouldBe((0, "system: b\n"));
        typed.Error.ShouldContain("error: ");
    }

    [Fact]
    public void A_model_without_a_template_is_refused_before_anything_is_said()
    {
        var run = ProgramRun.OfConversation(["chat", "--model", SampleModel.Write(_folder)], new StringReader("ab\n"));
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("the model has no chat template");
    }

    [Fact]
    public void What_a_template_refuses_is_told()
    {
        var run = Chat("ab\n", template: "{{ raise_exception('no users here') }}");
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("the template refuses the conversation: no users here");
    }

    [Fact]
    public void An_interruption_ends_the_answer_and_not_the_conversation()
    {
        string[] arguments = ["chat", "--model", Model(Template), "--max-new-tokens", "6", "--min-new-tokens", "6"];
        var whole = ProgramRun.OfConversation(arguments, new StringReader("ab\n")).Output.TrimEnd('\n');

        using var messages = new StringWriter();
        using var interruption = new Interruption(messages);
        var taken = new List<bool>();
        var run = ProgramRun.OfConversation(arguments, new StringReader("ab\n/reset\n/system b\n/history\n"), onOutput: () =>
        {
            if (taken.Count > 0) return;
            var signal = new PosixSignalContext(PosixSignal.SIGINT);
            interruption.Take(signal);
            taken.Add(signal.Cancel);
        }, interruption: interruption);
        (run.ExitCode, interruption.Requested).ShouldBe((0, false), run.Error);
        taken.ShouldBe([true]);
        var (answer, history) = (run.Output.Split('\n')[0], run.Output.Split('\n')[1]);
        answer.Length.ShouldBeInRange(1, whole.Length - 1);
        whole.ShouldStartWith(answer);
        history.ShouldBe("system: b");
        run.Error.ShouldContain("(interrupted)");
    }

    [Fact]
    public void An_interruption_while_a_line_is_waited_for_leaves()
    {
        using var messages = new StringWriter();
        using var interruption = new Interruption(messages);
        using var input = new WaitingReader(() => interruption.Take(new PosixSignalContext(PosixSignal.SIGINT)));
        ProgramRun.OfConversation(["chat", "--model", Model(Template)], input, interruption: interruption).ShouldBe(new ProgramRun(0, "", ""));
    }

    public void Dispose() => _folder.Dispose();

    private string Generated(string messages)
    {
        var input = _folder.Write("rows.jsonl", $"{{\"messages\":[{messages}]}}");
        var run = ProgramRun.Of("generate", "--model", Model(Template), "--input", input, "--max-new-tokens", "3");
        run.ExitCode.ShouldBe(0, run.Error);
        using var row = JsonDocument.Parse(run.Output);
        return row.RootElement.GetProperty("text").GetString()!;
    }

    private ProgramRun Chat(string input, bool inputIsTerminal = false, string template = Template) => ProgramRun.OfConversation(
        ["chat", "--model", Model(template), "--max-new-tokens", "3"], new StringReader(input), inputIsTerminal);

    private string Model(string template)
    {
        var model = _folder.File("model");
        if (!Directory.Exists(model)) SampleModel.Write(_folder);
        _folder.Write("model/chat_template.jinja", template);
        return model;
    }

    /// <summary>Nobody types until the conversation is over.</summary>
    private sealed class WaitingReader(Action onRead) : TextReader
    {
        private readonly ManualResetEventSlim _closed = new();

        public override string? ReadLine()
        {
            onRead();
            _closed.Wait();
            return null;
        }

        protected override void Dispose(bool disposing)
        {
            _closed.Set();
            base.Dispose(disposing);
        }
    }
}
