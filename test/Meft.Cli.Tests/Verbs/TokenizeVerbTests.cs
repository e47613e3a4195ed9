using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class TokenizeVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TokenizeVerbTests()
    {
        _folder.Write("model/tokenizer.json", SampleModel.Tokenizer);
        _folder.Write("model/tokenizer_config.json", """{"eos_token": "</s>"}""");
    }

    [Fact]
    public void Rows_come_out_as_ids_pieces_and_labels_in_order()
    {
        var run = Tokenize("{\"prompt\":\"ab\",\"completion\":\"c\"}\n{\"prompt\":\"a\"}\n");
        run.ShouldBe(new ProgramRun(0, """
            {"index":0,"input_ids":[3,2,4],"pieces":["ab","c","</s>"],"labels":[-100,2,4]}
            {"index":1,"input_ids":[0],"pieces":["a"]}

            """.ReplaceLineEndings("\n"), ""));
    }

    [Fact]
    public void Prompts_are_labelled_where_asked() =>
        Tokenize("{\"prompt\":\"ab\",\"completion\":\"c\"}", "--train-on-prompt").Output.ShouldContain("\"labels\":[3,2,4]");

    [Fact]
    public void Long_texts_are_cut_as_for_training() =>
        Tokenize("{\"text\":\"cccc\"}", "--max-length", "3").Output.Split('\n').Length.ShouldBe(3);

    [Fact]
    public void The_result_can_go_to_a_file()
    {
        var output = _folder.File("out.jsonl");
        Tokenize("{\"text\":\"ab\"}", "--output", output).ShouldBe(new ProgramRun(0, "", ""));
        File.ReadAllText(output).ShouldBe("{\"index\":0,\"input_ids\":[3,4],\"pieces\":[\"ab\",\"</s>\"],\"labels\":[3,4]}\n");
    }

    [Fact]
    public void A_row_that_is_wrong_leaves_no_half_written_file()
    {
        var output = _folder.File("out.jsonl");
        var run = Tokenize("{\"text\":\"ab\"}\n{", "--output", output);
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("rows.jsonl:2");
        File.Exists(output).ShouldBeFalse();
    }

    [Fact]
    public void Conversations_are_what_the_template_renders_and_an_answer_begins_after_a_question()
    {
        _folder.Write("model/chat_template.jinja", "{% for m in messages %}{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}c{% endif %}");
        var question = "{\"role\":\"user\",\"content\":\"ab\"}";
        Tokenize($"{{\"messages\":[{question}]}}\n{{\"messages\":[{question},{{\"role\":\"assistant\",\"content\":\"b\"}}]}}\n", "--chat")
            .ShouldBe(new ProgramRun(0, """
                {"index":0,"input_ids":[3,4,2],"pieces":["ab","</s>","c"]}
                {"index":1,"input_ids":[3,4,1,4],"pieces":["ab","</s>","b","</s>"],"labels":[-100,-100,1,4]}

                """.ReplaceLineEndings("\n"), ""));
        var run = Tokenize("{\"text\":\"ab\"}", "--chat");
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("rows.jsonl:1: the row is no conversation");
    }

    [Theory]
    [InlineData("rows.jsonl")]
    [InlineData("model/../rows.jsonl")]
    [InlineData("link.jsonl")]
    public void The_input_is_not_written_over(string output)
    {
        if (output == "link.jsonl")
        {
            Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right of their own there");
            File.CreateSymbolicLink(_folder.File(output), "rows.jsonl");
        }
        var run = Tokenize("{\"text\":\"ab\"}", "--output", _folder.File(output));
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("is the file of --input");
        File.ReadAllText(_folder.File("rows.jsonl")).ShouldBe("{\"text\":\"ab\"}");
    }

    [Theory]
    [InlineData("--format", "poem")]
    [InlineData("--max-length", "1")]
    public void Wrong_options_are_refused_with_what_is_allowed(string option, string value)
    {
        var run = Tokenize("{\"text\":\"ab\"}", option, value);
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain($"{option} is ");
        run.Error.ShouldContain("Allowed: ");
    }

    [Fact]
    public void An_id_without_a_piece_is_refused() =>
        Tokenize("{\"input_ids\":[1,99]}").Error.ShouldContain("the id 99 is in no vocabulary");

    [Fact]
    public void A_model_that_is_not_there_is_refused()
    {
        var run = ProgramRun.Of("tokenize", "--model", _folder.File("absent"), "--input", _folder.File("rows.jsonl"));
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("no such model");
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void A_real_models_texts_begin_and_end_with_its_tokens()
    {
        var model = Assets.Require("models", "stories260K");
        var text = Assets.Require("datasets", "text", "tinystories_valid_excerpt.txt");
        var run = ProgramRun.Of("tokenize", "--model", model, "--input", text, "--max-length", "256");
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        var rows = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        rows.Count.ShouldBeGreaterThan(1);
        rows.Select(r => r.GetProperty("index").GetInt32()).ShouldBe(Enumerable.Range(0, rows.Count));
        rows.ShouldAllBe(r => r.GetProperty("input_ids")[0].GetInt32() == 1 && r.GetProperty("input_ids").GetArrayLength() <= 256);
        rows[^1].GetProperty("pieces").EnumerateArray().Last().GetString().ShouldBe("</s>");
    }

    public void Dispose() => _folder.Dispose();

    private ProgramRun Tokenize(string rows, params string[] options) =>
        ProgramRun.Of(["tokenize", "--model", _folder.File("model"), "--input", _folder.Write("rows.jsonl", rows), .. options]);
}
