using System.Text.Json;
using Meft.Cli.Verbs;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class GenerateVerbTests : IDisposable
{
    private const string Prompts = "{\"prompt\":\"ab\"}\n{\"prompt\":\"cab\",\"completion\":\"b\"}\n{\"prompt\":\"c\"}\n{\"prompt\":\"bca\"}\n{\"prompt\":\"a\"}\n";
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_prompt_is_continued_as_in_a_file()
    {
        var fromFile = Lines(Generate("{\"prompt\":\"cab\"}", "--max-new-tokens", "6").Output).ShouldHaveSingleItem();
        var run = Prompt("cab", "--max-new-tokens", "6");
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldBe(fromFile.GetProperty("text").GetString() + "\n");
        run.Error.ShouldContain(" tokens in ");
    }

    [Theory]
    [InlineData]
    [InlineData("--sample", "--seed", "7")]
    [InlineData("--temperature", "1.5", "--top-k", "3", "--min-p", "0.01")]
    public void What_is_generated_does_not_depend_on_the_batch(params string[] options)
    {
        var one = Generate(Prompts, [.. options, "--batch", "1", "--max-new-tokens", "8"]);
        var many = Generate(Prompts, [.. options, "--batch", "4", "--max-new-tokens", "8"]);
        one.ExitCode.ShouldBe(0, one.Error);
        many.Output.ShouldBe(one.Output);
        Lines(one.Output).Select(l => l.GetProperty("index").GetInt32()).ShouldBe([0, 1, 2, 3, 4]);
    }

    [Fact]
    public void Another_seed_gives_another_sample_and_temperature_zero_gives_none()
    {
        var greedy = Generate(Prompts).Output;
        var samples = Enumerable.Range(0, 4).Select(seed => Generate(Prompts, "--temperature", "3", "--seed", $"{seed}").Output).Distinct().ToList();
        samples.Count.ShouldBeGreaterThan(1);
        Generate(Prompts, "--temperature", "0").Output.ShouldBe(greedy);
    }

    [Fact]
    public void The_result_can_go_to_a_file()
    {
        var output = _folder.File("out.jsonl");
        var run = Generate(Prompts, "--output", output);
        (run.ExitCode, run.Output).ShouldBe((0, ""));
        File.ReadAllText(output).ShouldBe(Generate(Prompts).Output);
    }

    [Fact]
    public void A_row_says_why_it_ended()
    {
        var rows = Lines(Generate(Prompts, "--temperature", "2", "--max-new-tokens", "5").Output);
        foreach (var row in rows)
        {
            int[] ids = [.. row.GetProperty("output_ids").EnumerateArray().Select(id => id.GetInt32())];
            row.GetProperty("finish").GetString().ShouldBe(ids[^1] == 4 ? "stop" : "length");
            ids.Length.ShouldBeLessThanOrEqualTo(5);
        }
    }

    [Fact]
    public void A_stop_string_ends_the_text_before_itself()
    {
        var whole = Lines(Generate("{\"prompt\":\"c\"}", "--max-new-tokens", "10", "--min-new-tokens", "10").Output)[0].GetProperty("text").GetString()!;
        var stop = whole[1..3];
        foreach (var beams in new[] { "1", "2" })
        {
            var row = Lines(Generate("{\"prompt\":\"c\"}", "--max-new-tokens", "10", "--min-new-tokens", "10", "--stop", stop, "--stop", "zz", "--beams", beams).Output)[0];
            row.GetProperty("text").GetString()!.ShouldNotContain(stop);
            if (beams != "1") continue;
            row.GetProperty("text").GetString().ShouldBe(whole[..whole.IndexOf(stop, StringComparison.Ordinal)]);
            row.GetProperty("finish").GetString().ShouldBe("stop");
        }
    }

    [Fact]
    public void An_adapter_is_used()
    {
        var adapter = SampleModel.WriteAdapter(_folder);
        Generate(Prompts, "--adapter", adapter).Output.ShouldNotBe(Generate(Prompts).Output);
    }

    [Fact]
    public void Without_a_tokenizer_ids_are_continued_and_there_is_no_text()
    {
        var model = SampleModel.Write(_folder, "bare", tokenizer: false);
        var run = ProgramRun.Of("generate", "--model", model, "--input", _folder.Write("ids.jsonl", "{\"input_ids\":[0,1]}"), "--max-new-tokens", "3");
        run.ExitCode.ShouldBe(0, run.Error);
        Lines(run.Output)[0].GetProperty("text").ValueKind.ShouldBe(JsonValueKind.Null);
        ProgramRun.Of("generate", "--model", model, "--prompt", "a").Error.ShouldContain("tokenizer.json");
    }

    [Fact]
    public void A_conversation_goes_through_the_models_template()
    {
        using var models = new TemporaryFolder();
        var model = SampleModel.Write(models);
        models.Write("model/tokenizer_config.json", """{"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}c{% endif %}"}""");
        var chat = ProgramRun.Of("generate", "--model", model, "--input", _folder.Write("chat.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"ab\"}]}"));
        chat.ExitCode.ShouldBe(0, chat.Error);
        chat.Output.ShouldBe(ProgramRun.Of("generate", "--model", model, "--input", _folder.Write("text.jsonl", "{\"prompt\":\"abc\"}")).Output);
    }

    [Theory]
    [InlineData("{\"prompt\":\"a\"}\n{\"prompt\":\"aaaaaaaaaaaaaaaa\"}", "rows.jsonl:2: the prompt has 16 tokens. Allowed: fewer than the model's 16")]
    [InlineData("{\"input_ids\":[0,9]}", "rows.jsonl:1: entry 1 of the row's input ids, 9, is outside")]
    [InlineData("{\"input_ids\":[]}", "rows.jsonl:1: the prompt has no token")]
    [InlineData("{\"text\":\"a\"}", "rows.jsonl:1: the row is no prompt. Allowed: {\"prompt\"}, {\"messages\"}, {\"instruction\",\"input\"} or {\"input_ids\"}")]
    [InlineData("{\"prompt\":3}", "rows.jsonl:1: \"prompt\" is a number")]
    [InlineData("{\"prompt\":\"a\"}\n{\"prompt\"", "rows.jsonl:2: the line is no valid JSON")]
    [InlineData("{\"messages\":[]}", "rows.jsonl:1: \"messages\" is empty")]
    [InlineData("{\"messages\":[{\"content\":\"a\"}]}", "rows.jsonl:1: message 0 has no \"role\"")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "the model has no chat template")]
    public void Wrong_rows_are_refused_at_their_place_and_leave_no_file(string rows, string problem)
    {
        var run = Generate(rows, "--output", _folder.File("out.jsonl"));
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
        Directory.GetFiles(_folder.Path).Select(Path.GetFileName).ShouldBe(["rows.jsonl"]);
    }

    [Theory]
    [InlineData("", "neither --prompt nor --input is given")]
    [InlineData("--prompt a --input b", "both given")]
    [InlineData("--prompt a --output b", "--output is given with --prompt")]
    [InlineData("--prompt a --batch 0", "--batch is 0")]
    [InlineData("--prompt a --top-p 2", "top_p is 2")]
    [InlineData("--prompt a --beams 0", "num_beams is 0")]
    [InlineData("--prompt a --beams 2 --sample", "do_sample is true and num_beams is 2")]
    [InlineData("--prompt a --early-stopping soon", "--early-stopping is 'soon'. Allowed: heuristic | when_enough | never")]
    [InlineData("--prompt a --temprature 1", "did you mean --temperature?")]
    [InlineData("--prompt a --max-new-tokens many", "--max-new-tokens is 'many', which is no whole number")]
    public void Wrong_options_are_refused_with_what_is_allowed(string options, string problem)
    {
        var run = ProgramRun.Of(["generate", "--model", SampleModel.Write(_folder), .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
    }

    [Fact]
    public void An_empty_prompt_needs_a_model_that_begins_texts()
    {
        var run = Prompt("");
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("--prompt: the prompt has no token");
    }

    [Fact]
    public void An_interruption_leaves_no_file()
    {
        var output = _folder.File("out.jsonl");
        using var source = new CancellationTokenSource();
        source.Cancel();
        var run = ProgramRun.OfInterruptible(
            VerbList.Create(),
            ["generate", "--model", SampleModel.Write(_folder), "--input", _folder.Write("rows.jsonl", Prompts), "--output", output], source.Token);
        run.ShouldBe(new ProgramRun(1, "", "stopped before the work was done.\n"));
        File.Exists(output).ShouldBeFalse();
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void Stories260K_writes_its_golden_story()
    {
        var model = Assets.Require("models", "stories260K");
        using var golden = JsonDocument.Parse(File.ReadAllText(Assets.Require("fixtures", "stories260K_golden.json")));
        // The golden text grows from the begin token alone.
        var input = _folder.Write("rows.jsonl", "{\"input_ids\":[1]}");
        var run = ProgramRun.Of("generate", "--model", model, "--input", input, "--max-new-tokens", "200");
        run.ExitCode.ShouldBe(0, run.Error);
        var row = Lines(run.Output).ShouldHaveSingleItem();
        row.GetProperty("output_ids").GetRawText().ShouldBe(JsonSerializer.Serialize(golden.RootElement.GetProperty("greedy_ids_200")));
        row.GetProperty("text").GetString().ShouldBe(golden.RootElement.GetProperty("text").GetString());
        row.GetProperty("finish").GetString().ShouldBe("length");

        var streamed = ProgramRun.Of("generate", "--model", model, "--prompt", "", "--max-new-tokens", "200");
        streamed.Output.ShouldBe(golden.RootElement.GetProperty("text").GetString() + "\n");
    }

    public static TheoryData<string> TinyModels => Assets.Folders("models/tiny");

    [Theory]
    [MemberData(nameof(TinyModels))]
    [Trait("Category", "Fixtures")]
    public void Tiny_models_give_their_golden_batch(string name)
    {
        var model = Assets.Require("models", "tiny", name);
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(model, "golden.json")));
        var golden = file.RootElement.GetProperty("batched_greedy");
        var input = _folder.Write("rows.jsonl", string.Concat(golden.GetProperty("prompts").EnumerateArray().Select(p => $"{{\"input_ids\":{JsonSerializer.Serialize(p)}}}\n")));
        var length = golden.GetProperty("options").GetProperty("max_new_tokens").GetInt32();
        var run = ProgramRun.Of("generate", "--model", model, "--input", input, "--max-new-tokens", $"{length}", "--dtype", "fp32");
        run.ExitCode.ShouldBe(0, run.Error);
        foreach (var (row, expected) in Lines(run.Output).Zip(golden.GetProperty("new_ids").EnumerateArray()))
        {
            int[] ids = [.. row.GetProperty("output_ids").EnumerateArray().Select(id => id.GetInt32())];
            // The golden rows that ended are filled up with the padding id 0.
            ids.Concat(Enumerable.Repeat(0, expected.GetArrayLength() - ids.Length)).ShouldBe(expected.EnumerateArray().Select(id => id.GetInt32()));
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_input_is_not_written_over()
    {
        const string Rows = "{\"prompt\":\"ab\"}";
        var run = Generate(Rows, "--output", _folder.File("rows.jsonl"));
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("is the file of --input");
        File.ReadAllText(_folder.File("rows.jsonl")).ShouldBe(Rows);
    }

    private ProgramRun Generate(string rows, params string[] options)
    {
        using var models = new TemporaryFolder();
        return ProgramRun.Of(["generate", "--model", SampleModel.Write(models), "--input", _folder.Write("rows.jsonl", rows), .. options]);
    }

    private static ProgramRun Prompt(string text, params string[] options)
    {
        using var models = new TemporaryFolder();
        return ProgramRun.Of(["generate", "--model", SampleModel.Write(models), "--prompt", text, .. options]);
    }

    private static List<JsonElement> Lines(string output) =>
        [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
}
