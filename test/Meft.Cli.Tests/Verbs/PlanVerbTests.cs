using System.Text.Json;
using Meft.Cli.Verbs;
using Meft.Core.Planning;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class PlanVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PlanVerbTests()
    {
        _folder.Write("m/config.json", """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
             "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5,
             "hidden_act": "silu", "tie_word_embeddings": false, "torch_dtype": "bfloat16"}
            """);
        _folder.Write("config.yaml", """
            model: m
            output: out
            method: {kind: meft, rank: 6144, layers: "last:2"}
            data: {train: rows.jsonl}
            batch: {size: 2}
            max_steps: 10
            """);
    }

    [Fact]
    public void A_model_that_is_only_a_config_json_is_planned_for_in_tables_of_80_columns()
    {
        var run = Plan();
        run.ExitCode.ShouldBe(0, run.Error);
        foreach (var part in new[] { "meft", "rows.jsonl is not there", "base weights", "moments", "activations travel", "rows travel", "backward", "resident" })
            run.Output.ShouldContain(part);
        run.Output.ShouldNotContain("\u001b");
        run.Output.Split('\n').Max(l => l.Length).ShouldBeLessThanOrEqualTo(80);
        run.Error.ShouldBeEmpty();
        Directory.Exists(_folder.File("out")).ShouldBeFalse();
    }

    [Fact]
    public void Json_is_one_document_whose_parts_add_up()
    {
        var run = Plan("--json", "--set", "device=cpu");
        run.ExitCode.ShouldBe(0, run.Error);
        using var document = JsonDocument.Parse(run.Output);
        var plan = document.RootElement;
        var memory = plan.GetProperty("memory");
        long Sum(params string[] tiers) => memory.GetProperty("items").EnumerateArray()
            .Where(i => tiers.Contains(i.GetProperty("tier").GetString())).Sum(i => i.GetProperty("bytes").GetInt64());
        memory.GetProperty("device_bytes").GetInt64().ShouldBe(Sum("device"));
        memory.GetProperty("resident_bytes").GetInt64().ShouldBe(Math.Max(Sum("device", "host", "program"), memory.GetProperty("load_bytes").GetInt64()));
        plan.GetProperty("fits").GetBoolean().ShouldBeTrue();
        plan.GetProperty("execution").GetProperty("base").GetString().ShouldBe("resident");
        plan.GetProperty("link").GetArrayLength().ShouldBe(2);
        plan.GetProperty("step").GetProperty("phases").EnumerateArray().Select(p => p.GetProperty("name").GetString())
            .ShouldBe(["data", "forward", "backward", "optimizer"]);
        plan.GetProperty("remarks").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public void A_plan_that_does_not_fit_is_shown_and_refused()
    {
        var run = Plan("--set", "budget.host=8GiB");
        run.ExitCode.ShouldBe(2);
        run.Output.ShouldContain("base weights");
        run.Error.ShouldStartWith("error: the run does not fit");
        run.Error.ShouldContain("budget.host is 8 GiB");
        run.ErrorLines.Count.ShouldBe(1);

        var json = Plan("--json", "--set", "budget.host=8GiB");
        json.ExitCode.ShouldBe(2);
        using var document = JsonDocument.Parse(json.Output);
        document.RootElement.GetProperty("fits").GetBoolean().ShouldBeFalse();
        document.RootElement.GetProperty("problem").GetString().ShouldNotBeNull().ShouldContain("8 GiB");
    }

    [Fact]
    public void A_card_can_be_planned_for_where_there_is_none()
    {
        var run = Plan("--set", "device=cuda:7", "--set", "budget.device=6GiB", "--json");
        Assert.SkipWhen(run.Error.Contains("the device is", StringComparison.Ordinal), "this machine has a card, and its devices are what counts");
        run.ExitCode.ShouldBe(0, run.Error);
        using var document = JsonDocument.Parse(run.Output);
        document.RootElement.GetProperty("accelerator").GetBoolean().ShouldBeTrue();
        document.RootElement.GetProperty("execution").GetProperty("base").GetString().ShouldBe("streamed");
        document.RootElement.TryGetProperty("step", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("method.rnak=3", "rank")]
    [InlineData("method.layers=last:99", "32")]
    [InlineData("model=missing", "missing")]
    [InlineData("budget.host=6GiBB", "6GiB")]
    [InlineData("device=gpu", "gpu")]
    public void Wrong_input_is_one_paragraph_with_exit_code_2(string set, string named)
    {
        var run = Plan("--set", set);
        run.ExitCode.ShouldBe(2, run.Output);
        run.Error.ShouldContain(named);
        run.Output.ShouldBeEmpty();
    }

    public void Dispose() => _folder.Dispose();

    private ProgramRun Plan(params string[] more) => ProgramRun.Of(
        [new PlanVerb { Calibrations = new CalibrationCache(_folder.File("cache")) }], ["plan", _folder.File("config.yaml"), .. more]);
}
