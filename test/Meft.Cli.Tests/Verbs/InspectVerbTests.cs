using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class InspectVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_model_shows_its_sizes_tokenizer_and_what_an_adapter_would_add()
    {
        var run = ProgramRun.Of("inspect", SampleModel.Write(_folder), "--rank", "16");
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("architecture  LlamaForCausalLM, float32\n");
        run.Output.ShouldContain("layers        2, hidden size 16, feed-forward 24\n");
        run.Output.ShouldContain("tokenizer     5 tokens (tokenizer.json), begins with nothing, ends with </s>, no chat template\n");
        // 16 experts of a row: 2 layers of (2·16 + 16) rows of 16.
        run.Output.ShouldContain("of rank 16 (16 experts) on every layer adds 1.54 k parameters");
        run.Output.ShouldNotContain("model.embed_tokens.weight");
        ProgramRun.Of("inspect", _folder.File("model"), "--tensors").Output.ShouldContain("model.embed_tokens.weight");
    }

    [Fact]
    public void Json_is_one_document()
    {
        var run = ProgramRun.Of("inspect", SampleModel.Write(_folder), "--json", "--rank", "16");
        using var json = JsonDocument.Parse(run.Output);
        json.RootElement.GetProperty("kind").GetString().ShouldBe("model");
        json.RootElement.GetProperty("adapter_cost").GetProperty("parameters").GetInt64().ShouldBe(1536);
        var model = json.RootElement.GetProperty("model").GetProperty("parameters").GetInt64();
        // The head is stored apart, as the config says: every stored element is a parameter.
        var tensors = json.RootElement.GetProperty("tensors");
        tensors.GetProperty("elements").GetInt64().ShouldBe(model);
        tensors.GetProperty("all").EnumerateArray().Sum(t => t.GetProperty("elements").GetInt64()).ShouldBe(model);
        tensors.GetProperty("all")[0].GetProperty("dtype").GetString().ShouldBe("F32");
    }

    [Fact]
    public void An_adapter_shows_its_sizes()
    {
        var run = ProgramRun.Of("inspect", SampleModel.WriteAdapter(_folder));
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("kind          MEFT, rank 8\n");
        run.Output.ShouldContain("router        2 experts, 1 probed by a token, linear gate\n");
        run.Output.ShouldContain("layers        0, 1\n");
        run.Output.ShouldContain("tensors       6,");
    }

    [Fact]
    public void A_foreign_models_tensors_are_listed()
    {
        var folder = SampleModel.Write(_folder);
        _folder.Write("model/config.json", """{"architectures": ["StrangeForCausalLM"], "model_type": "strange"}""");
        var run = ProgramRun.Of("inspect", folder);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("note          the architecture 'StrangeForCausalLM' is not known");
        run.Output.ShouldContain("\nmodel.embed_tokens.weight ");
    }

    [Fact]
    public void A_config_alone_is_a_model_to_plan_with()
    {
        File.Delete(Path.Combine(SampleModel.Write(_folder), "model.safetensors"));
        var run = ProgramRun.Of("inspect", _folder.File("model"));
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("parameters ");
        run.Output.ShouldContain("note          no weights");
    }

    [Fact]
    public void A_run_shows_how_far_it_is_and_names_an_incomplete_checkpoint()
    {
        _folder.Write("run/config.yaml", "model: base\noutput: .\nmethod: {rank: 64}\ndata: {train: rows.jsonl}\n");
        _folder.Write("run/metrics.jsonl", "{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"loss\":1.25}\n{\"step\":3,\"lo");
        _folder.Write("run/checkpoints/step-000002/manifest.json", "{\"format_version\":1,\"step\":2,\"state_bytes\":8}");
        _folder.Write("run/checkpoints/step-000003/state.safetensors", "half");
        var run = ProgramRun.Of("inspect", _folder.File("run"));
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("method        meft, rank 64\n");
        run.Output.ShouldContain("steps         2, last loss 1.2500\n");
        run.Output.ShouldContain("checkpoints   after step 2\n");
        run.Output.ShouldContain("result        none yet\n");
        run.Output.ShouldContain("the checkpoint step-000003 is incomplete");

        ProgramRun.Of("inspect", _folder.File("run/checkpoints/step-000003")).Output.ShouldContain("note          incomplete: it has no manifest.json");
    }

    [Fact]
    public void An_incremental_checkpoint_names_the_full_one_that_it_needs()
    {
        SampleModel.Write(_folder);
        _folder.Write("rows.jsonl", "{\"prompt\":\"ab\",\"completion\":\"c\"}\n");
        var config = _folder.Write("config.yaml", """
            model: model
            output: run
            method: {kind: meft, rank: 64, top_k: 2, experts: 0}
            data: {train: rows.jsonl, validation: rows.jsonl}
            evaluate: {every: 1}
            checkpoint: {every: 1, keep: 3}
            max_steps: 3
            """);
        ProgramRun.Of("train", config).ExitCode.ShouldBe(0);
        ProgramRun.Of("inspect", _folder.File("run")).Output.ShouldContain("checkpoints   after step 1, 2, 3");
        var full = ProgramRun.Of("inspect", _folder.File("run/checkpoints/step-000001"));
        (full.ExitCode, full.Error).ShouldBe((0, ""));
        full.Output.ShouldContain("holds         the full state\n");
        var run = ProgramRun.Of("inspect", _folder.File("run/checkpoints/step-000003"));
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("holds         the rows that have changed since the full checkpoint of step 1, which it needs\n");
        run.Output.ShouldContain("of            meft, rank 64, on ");
        run.Output.ShouldContain("validation    loss ");
        using var json = JsonDocument.Parse(ProgramRun.Of("inspect", _folder.File("run/checkpoints/step-000003"), "--json").Output);
        var checkpoint = json.RootElement.GetProperty("checkpoint");
        (checkpoint.GetProperty("kind").GetString(), checkpoint.GetProperty("base_step").GetInt32()).ShouldBe(("incremental", 1));
        // Ids of rows in place of whole matrices.
        json.RootElement.GetProperty("tensors").GetProperty("all").EnumerateArray()
            .ShouldContain(t => t.GetProperty("name").GetString()!.StartsWith("rows.") && t.GetProperty("dtype").GetString() == "I32");
    }

    [Theory]
    [InlineData("modle", "there is no such file or folder")]
    [InlineData("model/tokenizer.json", "files that end with '.json' are not known")]
    [InlineData("empty", "the folder holds nothing that is known")]
    [InlineData("broken.safetensors", "the file has 4 bytes (HeaderTooSmall)")]
    [InlineData("broken.gguf", "broken.gguf")]
    [InlineData("strange", "'peft_type' is missing")]
    public void What_cannot_be_inspected_is_refused(string name, string problem)
    {
        SampleModel.Write(_folder);
        Directory.CreateDirectory(_folder.File("empty"));
        _folder.Write("broken.safetensors", "oops");
        _folder.Write("broken.gguf", "oops");
        _folder.Write("strange/adapter_config.json", "{}");
        var run = ProgramRun.Of("inspect", _folder.File(name));
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
    }

    [Theory]
    [InlineData("inspect", "PATH is required")]
    [InlineData("inspect . --rank 0", "--rank is 0. Allowed: 1 to")]
    [InlineData("inspect . --jsno", "did you mean --json?")]
    public void Wrong_arguments_are_refused(string args, string problem)
    {
        var run = ProgramRun.Of(args.Split(' '));
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
    }

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
        run.Output.ShouldContain("\ntensors ");
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
        foreach (var line in new[] { "base model ", "alpha ", "targets ", "layers ", "parameters " }) run.Output.ShouldContain("\n" + line);
        run.Output.ShouldNotContain("note");
    }

    [Fact]
    public void A_LoRA_adapter_tells_its_rank_alpha_targets_and_parameters()
    {
        var folder = SampleModel.WriteLora(_folder);
        var run = ProgramRun.Of("inspect", folder);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("kind          LORA, rank 2\n");
        run.Output.ShouldContain("alpha         6\n");
        run.Output.ShouldContain("targets       [q_proj, down_proj]\n");
        run.Output.ShouldContain("layers        0, 1\n");
        run.Output.ShouldContain($"({2 * 2 * (16 + 16 + 24 + 16)})\n");

        var json = ProgramRun.Of("inspect", folder, "--json");
        using var report = JsonDocument.Parse(json.Output);
        var lora = report.RootElement.GetProperty("adapter").GetProperty("lora");
        (lora.GetProperty("alpha").GetDouble(), lora.GetProperty("parameters").GetInt64()).ShouldBe((6, 288));
    }

    [Fact]
    public void An_adapter_that_asks_for_what_is_not_built_is_shown_with_the_reason()
    {
        var folder = SampleModel.WriteLora(_folder);
        var config = Path.Combine(folder, "adapter_config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"use_dora\": false", "\"use_dora\": true", StringComparison.Ordinal));
        var run = ProgramRun.Of("inspect", folder);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("kind          LORA, rank 2\n");
        run.Output.ShouldContain("note          it cannot be loaded: ");
        run.Output.ShouldContain("'use_dora' is true");
    }

    [Fact]
    public void An_adapter_of_another_kind_is_shown_as_far_as_it_says()
    {
        _folder.Write("ia3/adapter_config.json", "{\"peft_type\": \"IA3\", \"base_model_name_or_path\": \"some/base\"}");
        var run = ProgramRun.Of("inspect", _folder.File("ia3"));
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldContain("kind          IA3\n");
        run.Output.ShouldContain("base model    some/base\n");
    }

    public void Dispose() => _folder.Dispose();
}
