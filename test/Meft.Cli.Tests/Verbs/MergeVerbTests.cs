using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class MergeVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void The_merged_model_scores_rows_as_the_base_with_its_adapter()
    {
        var (model, lora) = (SampleModel.Write(_folder), SampleModel.WriteLora(_folder));
        var output = _folder.File("deep/merged");
        var run = Merge(model, lora, output);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldBe(output + "\n");
        run.Error.ShouldContain("merged in Float32");

        var merged = Loss("--model", output);
        merged.ShouldBe(Loss("--model", model, "--adapter", lora), 1e-5);
        Math.Abs(merged - Loss("--model", model)).ShouldBeGreaterThan(1e-3);
        File.ReadAllText(Path.Combine(output, "tokenizer.json")).ShouldBe(SampleModel.Tokenizer);
        Directory.EnumerateFileSystemEntries(_folder.File("deep")).ShouldHaveSingleItem();
    }

    [Fact]
    public void A_sparse_adapter_cannot_be_merged_and_is_told_so()
    {
        var run = Merge(SampleModel.Write(_folder), SampleModel.WriteAdapter(_folder), _folder.File("merged"));
        run.ExitCode.ShouldBe(2);
        run.Error.ReplaceLineEndings(" ").ShouldContain("a sparse adapter cannot be merged");
        Directory.Exists(_folder.File("merged")).ShouldBeFalse();
    }

    [Fact]
    public void Weights_are_merged_as_they_are_and_never_quantised()
    {
        var run = ProgramRun.Of(
            "merge", "--model", SampleModel.Write(_folder), "--adapter", SampleModel.WriteLora(_folder), "--output", _folder.File("merged"), "--quantize", "int8");
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("--quantize");
        Directory.Exists(_folder.File("merged")).ShouldBeFalse();
    }

    [Fact]
    public void What_stands_at_the_output_stays()
    {
        var (model, lora) = (SampleModel.Write(_folder), SampleModel.WriteLora(_folder));
        _folder.Write("merged/mine.txt", "x");
        var run = Merge(model, lora, _folder.File("merged"));
        run.ExitCode.ShouldBe(2);
        run.Error.ReplaceLineEndings(" ").ShouldContain("exists and is not empty");
        Directory.EnumerateFiles(_folder.File("merged")).ShouldHaveSingleItem();

        Directory.CreateDirectory(_folder.File("empty"));
        Merge(model, lora, _folder.File("empty")).ExitCode.ShouldBe(0);
        File.Exists(_folder.File("empty/model.safetensors")).ShouldBeTrue();
    }

    [Fact]
    public void Without_an_adapter_there_is_nothing_to_merge()
    {
        var run = ProgramRun.Of("merge", "--model", SampleModel.Write(_folder), "--output", _folder.File("merged"));
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("--adapter");
    }

    public void Dispose() => _folder.Dispose();

    private static ProgramRun Merge(string model, string adapter, string output) =>
        ProgramRun.Of("merge", "--model", model, "--adapter", adapter, "--output", output);

    private double Loss(params string[] model)
    {
        var rows = _folder.Write("rows.jsonl", "{\"text\":\"abcabc\"}\n{\"text\":\"cab\"}\n");
        var run = ProgramRun.Of(["score", .. model, "--input", rows, "--json"]);
        run.ExitCode.ShouldBe(0, run.Error);
        using var summary = JsonDocument.Parse(run.Output);
        return summary.RootElement.GetProperty("mean_nll").GetDouble();
    }
}
