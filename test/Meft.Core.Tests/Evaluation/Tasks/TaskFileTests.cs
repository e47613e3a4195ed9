using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Metrics;
using Meft.Core.Evaluation.Tasks;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Evaluation.Tasks;

public sealed class TaskFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Shipped => [.. ShippedTasks.Names];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Every_task_that_comes_with_the_program_is_right_and_described(string name)
    {
        var task = EvalTask.Load(name);
        task.Name.ShouldBe(name);
        task.Description.ShouldNotBeEmpty();
        File.ReadAllText(Docs()).ShouldContain($"`{name}`");
    }

    [Fact]
    public void Every_key_and_every_metric_is_documented()
    {
        var page = File.ReadAllText(Docs());
        foreach (var key in TaskReader.Keys) page.ShouldContain($"`{key}`");
        foreach (var metric in AnswerMetrics.Names) page.ShouldContain($"`{metric}`");
    }

    [Fact]
    public void A_task_says_everything_or_almost_nothing()
    {
        var task = Load("""
            description: mine
            data: {path: rows.jsonl, rows: "data[]", group: "{{ g }}"}
            prompt: "Q {{ question }}"
            decoding: {max_new_tokens: 5, stop: ["\n", "Q"]}
            parts:
              said: {answers: answer, metrics: [f1, exact_match], no_answer: none, when: answer}
              chosen: {kind: choose, choices: "[a, b]", right: 1, normalize: bytes, each: items, examples: [{question: x, answer: " y"}], separator: ""}
              read: {kind: perplexity, text: "{{ t }}", window: 16, stride: 8}
            """);
        task.DataPath.ShouldBe(_folder.File("rows.jsonl"));
        task.Parts.Select(p => (p.Name, p.Kind)).ShouldBe([("said", QuestionKind.Generate), ("chosen", QuestionKind.Choose), ("read", QuestionKind.Perplexity)]);
        task.Parts[0].Metrics.SelectMany(m => m.Names).ShouldBe(["f1", "exact_match"]);
        (task.Parts[0].MaxNewTokens, task.Parts[0].NoAnswer, string.Join('|', task.Parts[0].Stop)).ShouldBe((5, "none", "\n|Q"));
        task.Parts[1].Normalize.ShouldBe(LengthNormalization.Bytes);
        task.Parts[1].Examples.ShouldHaveSingleItem().Answer.ShouldBe(" y");
        (task.Parts[2].Window, task.Parts[2].Stride).ShouldBe((16, 8));

        var least = Load("prompt: \"{{ q }}\"\nanswers: a").Parts.ShouldHaveSingleItem();
        (least.Name, least.Kind, least.MaxNewTokens, least.Separator).ShouldBe(("all", QuestionKind.Generate, 32, "\n\n"));
        least.Metrics.ShouldHaveSingleItem().Names.ShouldBe(["exact_match"]);
    }

    [Fact]
    public void All_errors_come_together_each_with_its_line()
    {
        var error = Should.Throw<ConfigException>(() => Load("""
            promt: "{{ q }}"
            kind: generate
            metrics: [exact_mach]
            answers: "a ||"
            decoding: {max_tokens: 3, stop: []}
            data: {rows: "a[0]"}
            window: 5
            kind: choose
            """));
        error.Errors.Select(e => e.ToString()).ShouldBe(
        [
            $"{_folder.File("task.yaml")}: prompt: is missing. Allowed: a text with fields of the record in {{{{ }}}}, in Jinja, for kind: generate.",
            At(1, "promt: unknown key; the nearest known one is prompt. Allowed: description, data, parts, kind, when, each, prompt, answers, no_answer, metrics, decoding, choices, choice, right, normalize, text, window, stride, over_length, examples, separator."),
            At(3, "metrics: 'exact_mach' is no metric (did you mean exact_match?). Allowed: exact_match, f1, contains, starts_with, number, tool_call."),
            At(4, "answers: the text \"a ||\" is no expression: expected token a name, got '|'. Allowed: a field, a path such as requested_rewrite.subject, or another expression of Jinja, without {{ }}."),
            At(5, "decoding.max_tokens: unknown key; the nearest known one is max_new_tokens. Allowed: max_new_tokens, stop."),
            At(5, "decoding.stop: an empty list is nothing. Allowed: a text or a list of texts."),
            At(6, "data.rows: the text \"a[0]\" is no path. Allowed: names with dots between them and [] for every item of a list, for example data[].paragraphs[].qas[]."),
            At(7, "window: would have no effect: the key is for kind: perplexity. Allowed: leaving the key out."),
            At(8, $"kind: stands twice, first at {_folder.File("task.yaml")}:2. Allowed: each key once."),
        ], error.Message);
        error.Message.ShouldContain("9 errors in the task:");

        string At(int line, string text) => $"{_folder.File("task.yaml")}:{line}: {text}";
    }

    [Theory]
    [InlineData("kind: choose\nprompt: x", "choices: is missing")]
    [InlineData("kind: chose\nprompt: x\nanswers: a", "kind: 'chose' is none of the known values (did you mean choose?)")]
    [InlineData("prompt: \"{{ q\"\nanswers: a", "prompt: the text \"{{ q\" is no template")]
    [InlineData("prompt: x\nanswers: \"a }} {{ b\"", "an expression is expected, without {{ and }}")]
    [InlineData("kind: perplexity\nwindow: 8\nstride: 8", "stride: 8 is not below the window, 8")]
    [InlineData("parts: [a]", "parts: a list of 1 stands where parts by name are expected")]
    [InlineData("parts: {a: {kind: perplexity}, a: {kind: perplexity}}", "parts.a: stands twice")]
    [InlineData("parts: {a: 3}", "parts.a: '3' stands where a group of keys is expected")]
    [InlineData("prompt: x\nanswers: a\nexamples: [{q: 1}]", "examples: example 1 has no answer that is a text")]
    [InlineData("prompt: x\nanswers: a\nexamples: 3", "examples: '3' is no list")]
    [InlineData("just text", "the task's keys are expected|'just text' stands where a group of keys is expected")]
    [InlineData("a: [", "the task is no valid YAML")]
    public void A_wrong_task_says_what_is_wrong(string yaml, string problem) =>
        problem.Split('|').ShouldContain(part => Should.Throw<ConfigException>(() => Load(yaml)).Message.Contains(part));

    [Fact]
    public void A_task_that_is_not_there_is_refused_with_the_nearest()
    {
        Should.Throw<InvalidInputException>(() => EvalTask.Load("nq_opn")).Message
            .ShouldStartWith("there is no task 'nq_opn' (did you mean nq_open?). Allowed: counterfact, ");
        var there = _folder.Write("mine.yaml", "kind: perplexity");
        EvalTask.Load(there).Name.ShouldBe("mine");
        Should.Throw<InvalidInputException>(() => EvalTask.Load(_folder.File("mein.yaml"))).Message.ShouldContain($"Did you mean {there}?");
        Should.Throw<InvalidInputException>(() => EvalTask.Load(_folder.Path)).Message.ShouldContain("is a folder, not a task file");
    }

    public void Dispose() => _folder.Dispose();

    private EvalTask Load(string yaml) => EvalTask.Load(_folder.Write("task.yaml", yaml));

    private static string Docs()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Meft.slnx"))) folder = folder.Parent ?? throw new InvalidOperationException("no repository around the tests");
        return Path.Combine(folder.FullName, "docs", "eval.md");
    }
}
