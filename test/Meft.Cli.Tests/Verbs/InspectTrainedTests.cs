using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

/// <summary><c>inspect</c> on what training leaves: adapters, runs, checkpoints.</summary>
public sealed class InspectTrainedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void An_adapter_shows_its_sizes()
    {
        var run = ProgramRun.Of("inspect", SampleModel.WriteAdapter(_folder));
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Output.ShouldContain("kind          MEFT, rank 8\n");
        run.Output.ShouldContain("router        2 experts, 1 probed by a token, linear gate\n");
        run.Output.ShouldContain("layers        0, 1\n");
        // 2 layers of (2·8 + 2) rows of 16.
        run.Output.ShouldContain("parameters    576 (576)\n");
        run.Output.ShouldContain("tensors       6,");
        run.Output.ShouldNotContain("note");
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
        run.Words.ShouldContain("'use_dora' is true");
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
