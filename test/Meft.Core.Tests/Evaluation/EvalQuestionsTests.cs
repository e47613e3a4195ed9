using CsCheck;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Tasks;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Evaluation;

public sealed class EvalQuestionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_prompt_shows_examples_first_and_reports_show_it_without()
    {
        var question = Ask(
            "prompt: \"Q {{ q }} A\"\nanswers: a\nseparator: \"|\"\nexamples: [{q: x, answer: \" 1\"}, {q: y, answer: \" 2\"}]",
            "{\"q\": \"z\", \"a\": [\"3\", \"drei\"]}").ShouldHaveSingleItem().ShouldBeOfType<GenerateQuestion>();
        question.Prompt.ShouldBe("Q x A 1|Q y A 2|Q z A");
        question.Shown.ShouldBe("Q z A");
        question.Answers.ShouldBe(["3", "drei"]);
    }

    [Fact]
    public void Paths_reach_into_records_and_each_makes_questions_of_a_list_that_share_its_weight()
    {
        const string task = """
            parts:
              fact: {prompt: "{{ rewrite.prompt | replace('{}', rewrite.subject) }}", answers: rewrite.target.str}
              near: {each: near, when: item != 'skip', prompt: "{{ item }}", answers: "[rewrite.target.str, 7]"}
            """;
        var questions = Ask(task, """
            {"rewrite": {"prompt": "{} speaks", "subject": "Ann", "target": {"str": "French"}}, "near": ["one", "skip", "two"]}
            {"rewrite": {"prompt": "{} eats", "subject": "Bob", "target": {"str": "rye"}}, "near": []}
            """).Cast<GenerateQuestion>().ToList();
        questions.Select(q => (q.Part.Name, q.Record, q.Cluster, q.Weight, q.Prompt)).ShouldBe(
            [("fact", 0, 0, 1.0, "Ann speaks"), ("near", 0, 0, 0.5, "one"), ("near", 0, 0, 0.5, "two"), ("fact", 1, 1, 1.0, "Bob eats")]);
        questions[1].Answers.ShouldBe(["French", "7"]);
    }

    [Fact]
    public void A_limit_is_of_windows_where_there_are_only_texts_and_of_records_elsewhere()
    {
        var texts = EvalTask.Load(_folder.Write("texts.yaml", "kind: perplexity\nwindow: 4\n"));
        texts.Limited(3).ShouldBe((null, 3));
        var mixed = EvalTask.Load(_folder.Write("mixed.yaml", "parts:\n  ask: {prompt: x, answers: a}\n  read: {kind: perplexity, window: 4}\n"));
        mixed.Limited(3).ShouldBe((3, null));
        mixed.Limited(null).ShouldBe((null, null));
    }

    [Fact]
    public void A_group_gathers_records_and_a_limit_counts_those_that_are_asked()
    {
        var rows = string.Join('\n', "xyxyx".Select((g, i) => $"{{\"g\": \"{g}\", \"q\": {i}, \"a\": \"b\"}}"));
        Ask("data: {group: \"{{ g }}\"}\nprompt: \"{{ q }}\"\nanswers: a", rows, limit: 4).Select(q => q.Cluster).ShouldBe([0, 1, 0, 1]);
        Ask("prompt: \"{{ q }}\"\nanswers: a\nwhen: g == 'x'", rows, limit: 2).Select(q => (q.Record, q.Origin.Line)).ShouldBe([(0, 1), (1, 3)]);
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("\"two\"", 1)]
    [InlineData("\"C\"", 2)]
    [InlineData("\"c\"", 2)]
    public void The_right_choice_is_a_number_a_text_or_a_letter(string answer, int expected)
    {
        var question = Ask("kind: choose\nprompt: x\nchoices: c\nchoice: \" {{ choice }}\"\nright: a",
            $"{{\"c\": [\"one\", \"two\", 3], \"a\": {answer}}}").ShouldHaveSingleItem().ShouldBeOfType<ChooseQuestion>();
        question.Choices.ShouldBe([" one", " two", " 3"]);
        question.Right.ShouldBe(expected);
    }

    [Fact]
    public void A_question_may_have_no_answer_where_the_task_allows_it() =>
        Ask("prompt: x\nanswers: a\nno_answer: none", "{\"a\": []}\n{\"a\": null}\n{\"a\": \"\"}").Cast<GenerateQuestion>()
            .ShouldAllBe(q => q.Answers.Count == 0);

    [Theory]
    [InlineData("prompt: \"{{ qestion }}\"\nanswers: a", "{\"question\": 1, \"a\": 2}", ":2: the record does not fit the task's prompt (part all): 'qestion' is undefined. Allowed: fields of this record: question, a")]
    [InlineData("prompt: \"{{ qestion | trim }}\"\nanswers: a", "{\"a\": 2}", "'qestion' is undefined")]
    [InlineData("prompt: \"{{ 'x' ~ qestion }}\"\nanswers: a", "{\"a\": 2}", "'qestion' is undefined")]
    [InlineData("prompt: x\nanswers: a.b.c", "{\"a\": {\"d\": 1}}", "the task's answers (part all): 'dict object' has no attribute 'b'")]
    [InlineData("prompt: x\nanswers: a", "{\"a\": []}", ":2: the task's answers (part all) gives no answer. Allowed: at least one text")]
    [InlineData("prompt: x\nanswers: a", "{\"a\": [\" \"]}", "gives no answer")]
    [InlineData("prompt: x\nanswers: a", "{\"a\": {\"b\": 1}}", "gives an object. Allowed: a text, a number, or a list of these")]
    [InlineData("prompt: x\nanswers: a\neach: a", "{\"a\": \"text\"}", "the task's each (part all) gives the text \"text\". Allowed: a list")]
    [InlineData("prompt: x\nkind: choose\nchoices: a\nright: 0", "{\"a\": [1]}", "gives 1 of them. Allowed: at least two choices")]
    [InlineData("prompt: x\nkind: choose\nchoices: a\nright: 2", "{\"a\": [1, 2]}", "right (part all) gives 2. Allowed: a number from 0 to 1, one of the choices, or a letter from A to B")]
    [InlineData("prompt: x\nkind: choose\nchoices: a\nright: \"'no'\"", "{\"a\": [1, 2]}", "gives the text \"no\"")]
    [InlineData("prompt: x\nkind: choose\nchoices: a\nright: 0", "{\"a\": [\"\", 2]}", "gives an empty text")]
    [InlineData("data: {group: \"{{ g }}\"}\nprompt: x\nanswers: a", "{\"a\": 1}", "the record does not fit the task's data.group: 'g' is undefined")]
    [InlineData("prompt: \"{{ q }}\"\nanswers: a\nexamples: [{p: 1, answer: x}]", "{\"a\": 1, \"q\": 2}", "the task's examples (part all): 'q' is undefined")]
    [InlineData("prompt: x\nanswers: a\nmetrics: [number]", "{\"a\": \"many\"}", ":2: the task's answers (part all) gives \"many\", which has no number, so that no prediction could be right")]
    [InlineData("prompt: x\nanswers: a\nmetrics: [tool_call]", "{\"a\": \"f(1)\"}", "gives \"f(1)\", which is no call of a tool")]
    [InlineData("prompt: x\nanswers: a\nmetrics: [tool_call]", "{\"a\": \"Action: f Action Input: 1\"}", "which has arguments that are no JSON object")]
    [InlineData("prompt: x\nanswers: a\nwhen: b is defined", "{\"a\": 1}", "the data holds no record that the task asks about")]
    public void A_record_that_does_not_fit_is_refused_with_its_line(string task, string row, string problem) =>
        Should.Throw<InvalidInputException>(() => Ask(task, "\n" + row)).Message.ShouldContain(problem);

    [Theory]
    [Trait("Category", "Fixtures")]
    [InlineData("nq_open", 3610, "nq_open", "NQ-open.dev.jsonl")]
    [InlineData("nq_open", 1800, "nq_open", "NQ-open.efficientqa.dev.1.1.jsonl")]
    [InlineData("web_questions", 2032, "webquestions", "main", "test.json")]
    [InlineData("squad", 1190, "squad", "xquad.en.json")]
    [InlineData("squad_v2", 1190, "squad", "xquad.en.json")]
    [InlineData("squad_flat", 1978, "squad", "squad_v2.0_subset.json")]
    [InlineData("gsm8k", 1319, "gsm8k", "test.jsonl")]
    [InlineData("counterfact", 6000, "facts", "counterfact", "counterfact-edit-1k.json")]
    [InlineData("zsre", 5954, "facts", "zsre", "zsre_mend_train-1k.json")]
    [InlineData("glaive_tools", 211, "instruct", "llamafactory", "glaive_toolcall_en_demo.json")]
    [InlineData("toolbench", 4, "toolbench", "answer", "G1_answer")]
    [InlineData("perplexity", 1, "text", "wikitext2_test.txt")]
    public void A_task_that_comes_with_the_program_reads_its_data(string task, int count, params string[] path) =>
        EvalQuestions.Read(EvalTask.Load(task), Assets.Require(["datasets", .. path])).Count.ShouldBe(count);

    [Fact]
    public void Of_records_with_the_same_value_the_first_is_asked_then_some_are_skipped_then_some_taken()
    {
        const string rows = """
            {"s": "a", "q": 0}
            {"s": "b", "q": 1, "skip": true}
            {"s": "a", "q": 2}
            {"s": "b", "q": 3}
            {"s": [1], "q": 4}
            {"s": ["1"], "q": 5}
            {"s": [1], "q": 6}
            """;
        Selected(new RecordSelection(Distinct: "s")).ShouldBe([(0, 1), (1, 4), (2, 5), (3, 6)]);
        Selected(new RecordSelection(Skip: 1, First: 2, Distinct: "s")).ShouldBe([(0, 4), (1, 5)]);
        Selected(new RecordSelection(Skip: 4, First: 1)).ShouldBe([(0, 6)]);
        Selected(RecordSelection.All).Count.ShouldBe(6);
        Should.Throw<InvalidInputException>(() => Selected(new RecordSelection(Skip: 6))).Problem.ShouldBe("the data holds no record beyond the 6 that skip leaves out");
        Should.Throw<InvalidInputException>(() => Selected(new RecordSelection(Distinct: "s ~"))).Problem.ShouldStartWith("distinct 's ~' is no expression: ");
        var missing = Should.Throw<InvalidInputException>(() => Selected(new RecordSelection(Distinct: "skip")));
        missing.Location.ShouldBe($"{_folder.File("rows.jsonl")}:1");
        missing.Problem.ShouldBe("the record does not fit distinct: skip: 'skip' is undefined");

        IReadOnlyList<(int, int)> Selected(RecordSelection selection) =>
            [.. Ask("prompt: \"{{ q }}\"\nanswers: q\nwhen: skip is not defined", rows, selection).Select(question => (question.Record, question.Origin.Line))];
    }

    [Fact]
    public void Splits_of_the_same_data_share_no_value()
    {
        Gen.Select(Gen.Int[0, 9].Array[1, 40], Gen.Int[1, 5]).Sample((values, first) =>
        {
            var rows = string.Join('\n', values.Select(value => $"{{\"v\": {value}}}"));
            const string task = "prompt: \"{{ v }}\"\nanswers: v";
            var all = Prompts(new RecordSelection(Distinct: "v"));
            all.ShouldBe(values.Distinct().Select(value => $"{value}"));
            Prompts(new RecordSelection(0, first, "v")).ShouldBe(all.Take(first));
            if (first < all.Count) Prompts(new RecordSelection(first, null, "v")).ShouldBe(all.Skip(first));

            IReadOnlyList<string> Prompts(RecordSelection selection) => [.. Ask(task, rows, selection).Cast<GenerateQuestion>().Select(q => q.Prompt)];
        }, iter: 50, threads: 1);
    }

    [Fact]
    public void Of_texts_the_first_are_windows_which_are_no_concern_of_records()
    {
        const string rows = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n{\"text\": \"two\"}\n{\"text\": \"three\"}";
        Ask("kind: perplexity", rows, new RecordSelection(Skip: 1, First: 1, Distinct: "text")).Cast<TextQuestion>().Select(q => q.Text).ShouldBe(["two", "three"]);
        Ask("parts: {a: {kind: perplexity}, b: {prompt: x, answers: text}}", rows, new RecordSelection(First: 1)).Count.ShouldBe(2);
    }

    [Fact]
    public void A_task_may_be_asked_in_part()
    {
        var task = EvalTask.Load("counterfact");
        task.Only(["specificity", "efficacy"]).Parts.Select(part => part.Name).ShouldBe(["efficacy", "specificity"]);
        Should.Throw<ArgumentException>(() => task.Only(["efficacity"]));
        Should.Throw<ArgumentException>(() => task.Only([]));
    }

    public void Dispose() => _folder.Dispose();

    private IReadOnlyList<EvalQuestion> Ask(string task, string rows, RecordSelection selection) =>
        EvalQuestions.Read(EvalTask.Load(_folder.Write("task.yaml", task)), _folder.Write("rows.jsonl", rows), selection);

    private IReadOnlyList<EvalQuestion> Ask(string task, string rows, int? limit = null) =>
        EvalQuestions.Read(EvalTask.Load(_folder.Write("task.yaml", task)), _folder.Write("rows.jsonl", rows), limit);
}
