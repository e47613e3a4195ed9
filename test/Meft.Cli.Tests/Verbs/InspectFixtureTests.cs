using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

/// <summary><c>inspect</c> on every model, tokenizer, adapter and file of tensors of the assets.</summary>
public sealed class InspectFixtureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Every folder of models, of the small ones and of those of foreign families.</summary>
    public static TheoryData<string> Models => Assets.Enumerate("models", root => Directory.EnumerateFiles(root, "config.json", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(root, Path.GetDirectoryName(file)!)));

    [Theory]
    [MemberData(nameof(Models))]
    [Trait("Category", "Fixtures")]
    public void Every_model_can_be_inspected(string name)
    {
        var run = ProgramRun.Of("inspect", Assets.Require(["models", .. name.Split('/')]));
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        foreach (var line in new[] { "architecture ", "parameters ", "layers ", "heads ", "vocabulary ", "positions ", "files ", "tensors ", "adapters " })
            run.Output.ShouldContain("\n" + line);
        run.Output.ShouldNotContain("cannot be");
        // Only a path may be longer.
        run.Output.Split('\n').Skip(1).ShouldAllBe(line => line.Length <= 100);
        using var json = JsonDocument.Parse(ProgramRun.Of("inspect", Assets.Require(["models", .. name.Split('/')]), "--json").Output);
        var root = json.RootElement;
        root.GetProperty("files").EnumerateArray().Sum(f => f.GetProperty("tensors").GetInt32()).ShouldBe(root.GetProperty("tensors").GetProperty("count").GetInt32());
        // A GGUF file may hold tables that are no weights; none of these does.
        root.GetProperty("tensors").GetProperty("elements").GetInt64().ShouldBe(root.GetProperty("model").GetProperty("parameters").GetInt64());
    }

    /// <summary>Each tokenizer in each of its forms.</summary>
    public static TheoryData<string> Tokenizers => Assets.Enumerate("tokenizers", root => Directory.EnumerateDirectories(root)
        .SelectMany(folder => new[] { "tokenizer.json", "tokenizer.model", "vocab.json" }.Where(file => File.Exists(Path.Combine(folder, file)))
            .Select(file => $"{Path.GetFileName(folder)}/{file}")));

    [Theory]
    [MemberData(nameof(Tokenizers))]
    [Trait("Category", "Fixtures")]
    public void Every_form_of_a_tokenizer_is_shown(string name)
    {
        var source = Path.GetDirectoryName(Assets.Require(["tokenizers", .. name.Split('/')]))!;
        var form = Path.GetFileName(name);
        Directory.CreateDirectory(_folder.File("tokenizer"));
        foreach (var file in Directory.EnumerateFiles(source).Where(f => Path.GetFileName(f) == form || Path.GetFileName(f) is not ("tokenizer.json" or "tokenizer.model" or "vocab.json")))
            File.CreateSymbolicLink(_folder.File($"tokenizer/{Path.GetFileName(file)}"), file);
        // What a folder without tokenizer_config.json leaves open.
        if (form == "vocab.json" && name.StartsWith("gpt2", StringComparison.Ordinal)) _folder.Write("tokenizer/tokenizer_config.json", "{\"tokenizer_class\": \"GPT2Tokenizer\"}");
        var run = ProgramRun.Of("inspect", _folder.File("tokenizer"), "--json");
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        using var json = JsonDocument.Parse(run.Output);
        json.RootElement.GetProperty("kind").GetString().ShouldBe("tokenizer");
        var tokenizer = json.RootElement.GetProperty("tokenizer");
        tokenizer.GetProperty("form").GetString().ShouldBe(form switch
        {
            "tokenizer.model" => name.StartsWith("llama3", StringComparison.Ordinal) ? "tiktoken" : "SentencePiece",
            "vocab.json" => "vocab.json + merges.txt",
            _ => form,
        });
        tokenizer.GetProperty("algorithm").GetString().ShouldBe("BPE");
        tokenizer.GetProperty("vocabulary_size").GetInt32().ShouldBeGreaterThan(30_000);
        foreach (var token in tokenizer.GetProperty("special_tokens").EnumerateArray()) token.GetProperty("id").GetInt32().ShouldBeGreaterThanOrEqualTo(0);
        ProgramRun.Of("inspect", _folder.File("tokenizer")).Output.Split('\n').Skip(1).ShouldAllBe(line => line.Length <= 100);
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void Shards_are_counted()
    {
        var run = ProgramRun.Of("inspect", Assets.Require("models", "tiny", "llama-bias-linear-rope-sharded"));
        run.Output.ShouldMatch(@"\nfiles         \d+ shards, [\d.]+ KiB\n +model-00001-of-\d+\.safetensors, [\d.]+ KiB, \d+ tensors\n");
        run.Output.ShouldContain("rope linear, base ");
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void A_gguf_file_shows_the_types_of_its_blocks()
    {
        var run = ProgramRun.Of("inspect", Assets.Require("models", "smollm2-135m-instruct", "model.Q4_1.gguf"));
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("parameters    135 M (134,515,008)\n");
        foreach (var type in new[] { "Q4_1", "Q8_0", "F32" }) run.Output.ShouldContain($"\n{"",14}{type} ");
    }

    public static TheoryData<string> SafetensorsCases => Assets.Files("fixtures/safetensors_cases", "*.safetensors");

    [Theory]
    [MemberData(nameof(SafetensorsCases))]
    [Trait("Category", "Fixtures")]
    public void Every_safetensors_file_is_shown_or_refused_in_one_paragraph(string name)
    {
        var run = ProgramRun.Of("inspect", Path.Combine(Assets.Require("fixtures", "safetensors_cases"), name + ".safetensors"));
        if (name.StartsWith("bad_", StringComparison.Ordinal))
        {
            (run.ExitCode, run.Output).ShouldBe((2, ""));
            run.ErrorLines.ShouldHaveSingleItem().ShouldContain(name);
            return;
        }
        (run.ExitCode, run.Error).ShouldBe((0, ""));
    }

    public static TheoryData<string> LoraAdapters => Assets.Folders("fixtures/peft_lora");

    [Theory]
    [MemberData(nameof(LoraAdapters))]
    [Trait("Category", "Fixtures")]
    public void A_LoRA_adapter_of_PEFT_is_shown(string name)
    {
        var run = ProgramRun.Of("inspect", Assets.Require("fixtures", "peft_lora", name));
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("kind          LORA, rank ");
        foreach (var line in new[] { "base model ", "alpha ", "targets ", "layers ", "parameters ", "files " }) run.Output.ShouldContain("\n" + line);
        run.Output.ShouldNotContain("note");
    }

    public void Dispose() => _folder.Dispose();
}
