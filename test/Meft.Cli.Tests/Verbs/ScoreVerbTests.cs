using System.Text.Json;
using Meft.Cli.Verbs;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class ScoreVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Rows_come_out_in_order_and_add_up_to_the_summary()
    {
        var output = _folder.File("scores.jsonl");
        var rows = "{\"input_ids\":[0,1]}\n{\"input_ids\":[0,1,2,3,2,1,0]}\n{\"input_ids\":[2,1,0,2],\"labels\":[-100,-100,0,2]}\n";
        var run = Score(rows, "--output", output, "--json");
        run.ExitCode.ShouldBe(0, run.Error);
        var lines = Lines(output);
        lines.Select(l => l.GetProperty("index").GetInt32()).ShouldBe([0, 1, 2]);
        lines.Select(l => l.GetProperty("tokens").GetInt32()).ShouldBe([2, 7, 4]);
        lines.Select(l => l.GetProperty("scored_tokens").GetInt32()).ShouldBe([1, 6, 2]);

        double sum = 0;
        foreach (var line in lines)
        {
            double[] nll = [.. line.GetProperty("token_nll").EnumerateArray().Select(n => n.GetDouble())];
            nll.Length.ShouldBe(line.GetProperty("scored_tokens").GetInt32());
            line.GetProperty("nll").GetDouble().ShouldBe(nll.Sum(), 1e-5);
            line.GetProperty("perplexity").GetDouble().ShouldBe(Math.Exp(nll.Average()), 1e-4);
            sum += nll.Sum();
        }
        using var summary = JsonDocument.Parse(run.Output);
        summary.RootElement.GetProperty("rows").GetInt32().ShouldBe(3);
        summary.RootElement.GetProperty("tokens").GetInt32().ShouldBe(13);
        summary.RootElement.GetProperty("scored_tokens").GetInt32().ShouldBe(9);
        summary.RootElement.GetProperty("mean_nll").GetDouble().ShouldBe(sum / 9, 1e-6);
        summary.RootElement.GetProperty("perplexity").GetDouble().ShouldBe(Math.Exp(sum / 9), 1e-5);
    }

    [Fact]
    public void A_long_text_is_one_row_scored_in_pieces()
    {
        var output = _folder.File("scores.jsonl");
        Score("{\"text\":\"cccccccc\"}\n{\"text\":\"ab\"}", "--output", output, "--max-length", "4").ExitCode.ShouldBe(0);
        var lines = Lines(output);
        lines.Count.ShouldBe(2);
        // Eight letters and the end token, in three pieces whose first tokens nothing predicts.
        lines[0].GetProperty("tokens").GetInt32().ShouldBe(9);
        lines[0].GetProperty("scored_tokens").GetInt32().ShouldBe(6);
    }

    [Fact]
    public void An_adapter_changes_the_scores_and_none_is_needed_to_get_the_same_again()
    {
        var rows = "{\"input_ids\":[0,1,2,3]}";
        var plain = Score(rows).Output;
        Score(rows).Output.ShouldBe(plain);
        Score(rows, "--adapter", SampleModel.WriteAdapter(_folder)).Output.ShouldNotBe(plain);
    }

    [Fact]
    public void A_quantised_base_scores_nearly_as_the_base_and_takes_its_adapters()
    {
        var rows = "{\"input_ids\":[0,1,2,3,2,1,0]}";
        var adapter = SampleModel.WriteAdapter(_folder);
        foreach (string[] beside in new string[][] { [], ["--adapter", adapter], ["--adapter", SampleModel.WriteLora(_folder)] })
        {
            var plain = MeanLoss(rows, beside);
            var int8 = MeanLoss(rows, [.. beside, "--quantize", "int8"]);
            int8.ShouldNotBe(plain);
            int8.ShouldBe(plain, 0.05 * plain);
            MeanLoss(rows, [.. beside, "--quantize", "nf4"]).ShouldNotBe(int8);
        }
    }

    [Fact]
    public void Rows_of_ids_need_no_tokenizer_and_texts_do()
    {
        var model = SampleModel.Write(_folder, "bare", tokenizer: false);
        ProgramRun.Of("score", "--model", model, "--input", _folder.Write("ids.jsonl", "{\"input_ids\":[0,1]}")).ExitCode.ShouldBe(0);
        var run = ProgramRun.Of("score", "--model", model, "--input", _folder.Write("texts.jsonl", "{\"text\":\"ab\"}"));
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("tokenizer.json");
    }

    [Theory]
    [InlineData("{\"input_ids\":[0,1]}\n{\"input_ids\":[0,5]}", "rows.jsonl:2: entry 1 of the row's input ids, 5, is outside")]
    [InlineData("{\"input_ids\":[0,1]}\n\n{\"input_ids\":[0,", "rows.jsonl:3: the line is no valid JSON")]
    [InlineData("{\"input_ids\":[0]}", "rows.jsonl:1: the row has nothing to score")]
    [InlineData("{\"prompt\":\"a\"}", "rows.jsonl:1: the row has nothing to score. Allowed: a \"completion\"")]
    [InlineData("{\"input_ids\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}", "rows.jsonl:1: the row has 17 tokens. Allowed: at most 16")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "the model has no chat template")]
    [InlineData("", "rows.jsonl: the data file holds no rows")]
    public void Wrong_rows_are_refused_at_their_place_and_leave_no_file(string rows, string problem)
    {
        var output = _folder.File("scores.jsonl");
        var run = Score(rows, "--output", output);
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
        Directory.GetFiles(_folder.Path).Select(Path.GetFileName).ShouldBe(["rows.jsonl"]);
    }

    [Theory]
    [InlineData("--dtype", "fp3", "--dtype is 'fp3'. Allowed: auto | fp32 | bf16")]
    [InlineData("--quantize", "int4", "--quantize is 'int4'. Allowed: none | int8 | nf4 | gguf")]
    [InlineData("--quantize", "gguf", "quantize is gguf, which keeps the blocks of a GGUF file")]
    [InlineData("--device", "tpu", "the device 'tpu' is not known. Allowed: auto | cpu | cuda")]
    [InlineData("--max-length", "1", "--max-length is 1")]
    [InlineData("--format", "poem", "--format is 'poem'")]
    [InlineData("--dtpye", "fp32", "did you mean --dtype?")]
    public void Wrong_options_are_refused_with_what_is_allowed(string option, string value, string problem)
    {
        var run = Score("{\"input_ids\":[0,1]}", option, value);
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
    }

    [Fact]
    public void A_misspelt_model_is_refused_with_the_nearest()
    {
        SampleModel.Write(_folder);
        var run = ProgramRun.Of("score", "--model", _folder.File("modle"), "--input", "rows.jsonl");
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain($"there is no such model. Allowed: a Hugging Face folder");
        run.Error.ShouldEndWith($"Did you mean {_folder.File("model")}?\n");
    }

    [Fact]
    public void An_adapter_that_does_not_fit_is_refused_with_both_values()
    {
        var run = Score("{\"input_ids\":[0,1]}", "--adapter", SampleModel.WriteAdapter(_folder, hiddenSize: 32));
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("its hidden size is 32, wanted is 16");
    }

    [Fact]
    public void An_adapter_named_as_the_model_is_told_apart()
    {
        var run = ProgramRun.Of("score", "--model", SampleModel.WriteAdapter(_folder), "--input", "rows.jsonl");
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("name it with --adapter");
    }

    [Fact]
    public void An_interruption_leaves_no_file()
    {
        var output = _folder.File("scores.jsonl");
        using var source = new CancellationTokenSource();
        source.Cancel();
        var run = ProgramRun.OfInterruptible(
            VerbList.Create(),
            ["score", "--model", SampleModel.Write(_folder), "--input", _folder.Write("rows.jsonl", "{\"input_ids\":[0,1]}"), "--output", output],
            source.Token);
        run.ShouldBe(new ProgramRun(1, "", "stopped before the work was done.\n"));
        File.Exists(output).ShouldBeFalse();
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void Stories260K_gives_its_golden_losses()
    {
        var model = Assets.Require("models", "stories260K");
        using var golden = JsonDocument.Parse(File.ReadAllText(Assets.Require("fixtures", "stories260K_golden.json")));
        var output = _folder.File("scores.jsonl");
        var input = _folder.Write("rows.jsonl", $"{{\"input_ids\":{JsonSerializer.Serialize(golden.RootElement.GetProperty("line0_ids"))}}}");
        var run = ProgramRun.Of("score", "--model", model, "--input", input, "--output", output, "--json");
        run.ExitCode.ShouldBe(0, run.Error);

        double[] expected = [.. golden.RootElement.GetProperty("line0_nll").EnumerateArray().Select(n => n.GetDouble())];
        double[] nll = [.. Lines(output).ShouldHaveSingleItem().GetProperty("token_nll").EnumerateArray().Select(n => n.GetDouble())];
        nll.Length.ShouldBe(expected.Length);
        for (var i = 0; i < nll.Length; i++) nll[i].ShouldBe(expected[i], 1e-4);
        using var summary = JsonDocument.Parse(run.Output);
        summary.RootElement.GetProperty("mean_nll").GetDouble().ShouldBe(nll.Average(), 1e-6);
    }

    public static TheoryData<string> TinyModels => Assets.Folders("models/tiny");

    [Theory]
    [MemberData(nameof(TinyModels))]
    [Trait("Category", "Fixtures")]
    public void Tiny_models_are_scored_from_ids_alone(string name)
    {
        var model = Assets.Require("models", "tiny", name);
        var run = ProgramRun.Of("score", "--model", model, "--input", _folder.Write("rows.jsonl", "{\"input_ids\":[5,9,2]}\n{\"input_ids\":[7,8]}"));
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("tokens      5 (3 scored)\n");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_adapter_folder_without_its_weights_is_said_in_plain_words()
    {
        var adapter = SampleModel.WriteAdapter(_folder);
        File.Delete(Path.Combine(adapter, "adapter_model.safetensors"));
        var run = Score("{\"text\":\"ab\"}", "--adapter", adapter);
        run.ExitCode.ShouldBe(2);
        run.ErrorLines[^1].ShouldContain("adapter_model.safetensors: there is no such file.");
        run.Error.ShouldNotContain("IoError");
    }

    [Fact]
    public void The_input_is_not_written_over()
    {
        const string Rows = "{\"text\":\"ab\"}";
        var run = Score(Rows, "--output", _folder.File("rows.jsonl"));
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("is the file of --input");
        File.ReadAllText(_folder.File("rows.jsonl")).ShouldBe(Rows);
    }

    private double MeanLoss(string rows, string[] options)
    {
        var run = Score(rows, [.. options, "--json"]);
        run.ExitCode.ShouldBe(0, run.Error);
        using var summary = JsonDocument.Parse(run.Output);
        return summary.RootElement.GetProperty("mean_nll").GetDouble();
    }

    private ProgramRun Score(string rows, params string[] options)
    {
        using var models = new TemporaryFolder();
        return ProgramRun.Of(["score", "--model", SampleModel.Write(models), "--input", _folder.Write("rows.jsonl", rows), .. options]);
    }

    private static List<JsonElement> Lines(string path) => [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement)];
}
