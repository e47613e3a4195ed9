using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

/// <summary>Tiny runs of every subject. How long anything takes is nobody's promise here.</summary>
public sealed class BenchVerbTests : IDisposable
{
    private const int Tokens = 3 + 5; // of the first two rows

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Kernels_stand_beside_their_roofs()
    {
        var result = Json("kernels", "--hidden", "20", "--tokens", "5,9", "--ranks", "16", "--megabytes", "1", "--warm-up", "0", "--repeats", "1");
        result.GetProperty("roofs").EnumerateObject().ShouldAllBe(r => r.Value.GetDouble() > 0);
        var kernels = result.GetProperty("kernels").EnumerateArray().ToList();
        kernels.Select(k => k.GetProperty("tokens").GetInt32()).Distinct().ShouldBe([5, 9]);
        kernels.ShouldAllBe(k => k.GetProperty("seconds").GetDouble() > 0 && k.GetProperty("rank").GetInt32() == 16);
        foreach (var name in new[] { "router", "candidate scores", "row gather to bfloat16", "AdamW of touched rows", "a layer, backward" })
            kernels.ShouldContain(k => k.GetProperty("kernel").GetString() == name && k.GetProperty("rank").GetInt32() == 16, name);
    }

    [Fact]
    public void The_optimizer_stands_beside_a_plain_loop()
    {
        var rows = Json("optimizer", "--hidden", "20", "--ranks", "50", "--megabytes", "1", "--warm-up", "0", "--repeats", "1").EnumerateArray().ToList();
        rows.Select(r => r.GetProperty("touched_rows").GetInt32()).ShouldBe([28, 50]);
        rows.ShouldAllBe(r => r.GetProperty("share").GetDouble() > 0);
    }

    [Fact]
    public void Steps_of_all_methods_are_timed_on_the_same_rows()
    {
        var result = Json("step", "--model", SampleModel.Write(_folder), "--rows", Rows(), "--batch", "2", "--ranks", "16,64", "--warm-up", "0", "--repeats", "1", "--profile");
        var sides = result.GetProperty("sides").EnumerateArray().ToList();
        var beside = sides.Where(s => s.GetProperty("method").GetString() is "parallel" or "masked" or "meft").ToList();
        beside.Select(s => $"{s.GetProperty("method")} {s.GetProperty("rank")}")
            .ShouldBe(["parallel 16", "parallel 64", "masked 16", "masked 64", "meft 16", "meft 64"]);
        sides[0].GetProperty("ratio").GetDouble().ShouldBe(1);
        sides.ShouldAllBe(s => s.GetProperty("tokens").GetDouble() == Tokens);
        foreach (var side in beside)
        {
            var phases = side.GetProperty("phases").EnumerateObject().Select(p => p.Name);
            phases.ShouldBe(["data", "forward", "backward", "optimizer", "forward: adapter", "backward: adapter"], ignoreOrder: true);
        }
        foreach (var meft in beside.Skip(4))
        {
            // x and dy to the host, y and dx back: T·D·4 bytes each, in both layers.
            meft.GetProperty("device_to_host_bytes").GetInt64().ShouldBe(2 * 2 * Tokens * 16 * 4);
            meft.GetProperty("host_to_device_bytes").GetInt64().ShouldBe(2 * 2 * Tokens * 16 * 4);
            meft.GetProperty("active_rows").GetDouble().ShouldBeInRange(1, meft.GetProperty("rank").GetInt32());
            meft.GetProperty("host_bytes_a_parameter").GetDouble().ShouldBeInRange(12, 16);
        }
        beside[4].GetProperty("device_bytes_peak").GetInt64().ShouldBe(beside[5].GetProperty("device_bytes_peak").GetInt64());
    }

    [Fact]
    public void Forms_of_a_base_are_timed_side_by_side()
    {
        var model = SampleModel.Write(_folder);
        var result = Json(
            "step", "--model", model, "--rows", Rows(), "--ranks", "16", "--methods", "meft", "--quantize", "none,nf4", "--warm-up", "0", "--repeats", "1");
        result.GetProperty("sides").EnumerateArray().Select(s => s.GetProperty("base").GetString()).ShouldBe(["none", "nf4"]);
        Error("step", "--model", model, "--rows", Rows(), "--quantize", "none,int4").ShouldContain("--quantize is 'int4'");
        Error("generate", "--model", model, "--quantize", "none,int8").ShouldContain("one form");
    }

    [Fact]
    public void Generation_is_timed_with_an_adapter_and_without()
    {
        var figures = Json(
            "generate", "--model", SampleModel.Write(_folder), "--prompt-tokens", "4", "--new-tokens", "3", "--batch", "2", "--ranks", "16",
            "--warm-up", "0", "--repeats", "1").EnumerateArray().ToList();
        figures.Select(f => (f.GetProperty("prompts").GetInt32(), f.GetProperty("rank").GetInt32())).ShouldBe([(1, 0), (1, 16), (2, 0), (2, 16)]);
        figures[0].GetProperty("ratio").GetDouble().ShouldBe(1);
        figures.ShouldAllBe(f => f.GetProperty("tokens_per_second").GetDouble() > 0);
    }

    [Fact]
    public void Loading_is_timed_and_weighed_in_every_form()
    {
        var figures = Json(
            "load", "--model", SampleModel.Write(_folder), "--dtype", "bf16", "--quantize", "none,int8", "--warm-up", "0", "--repeats", "1").EnumerateArray().ToList();
        figures.Select(f => f.GetProperty("base").GetString()).ShouldBe(["none", "int8"]);
        figures.ShouldAllBe(f => f.GetProperty("type").GetString() == "bfloat16" && f.GetProperty("seconds").GetDouble() > 0);
        var file = new FileInfo(Path.Combine(_folder.File("model"), "model.safetensors"));
        if (file.Exists) figures.ShouldAllBe(f => f.GetProperty("file_bytes").GetInt64() == file.Length);
        figures.ShouldAllBe(f => f.GetProperty("weight_bytes").GetInt64() > f.GetProperty("largest_tensor_bytes").GetInt64());
        Error("load").ShouldContain("--model is required");
        Error("load", "--model", SampleModel.Write(_folder), "--ranks", "4").ShouldContain("--ranks has no effect on load");
        Error("generate", "--model", SampleModel.Write(_folder), "--cold").ShouldContain("--cold has no effect on generate");
    }

    [Theory]
    [InlineData("load", "peak, own")]
    [InlineData("optimizer", "plain loop")]
    [InlineData("kernels", "candidate scores")]
    [InlineData("step", "share of a step")]
    [InlineData("generate", "tokens a second")]
    public void Without_json_there_are_tables_under_command_and_machine(string subject, string expected)
    {
        var output = _folder.File("result.json");
        string[] arguments = subject switch
        {
            "step" => ["--model", SampleModel.Write(_folder), "--rows", Rows(), "--ranks", "16", "--methods", "masked,meft"],
            "generate" => ["--model", SampleModel.Write(_folder), "--prompt-tokens", "4", "--new-tokens", "3", "--batch", "2", "--ranks", "16"],
            "load" => ["--model", SampleModel.Write(_folder)],
            _ => ["--hidden", "16", "--ranks", "16", "--megabytes", "1"],
        };
        var run = ProgramRun.Of(["bench", subject, .. arguments, "--warm-up", "0", "--repeats", "1", "--output", output]);
        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldStartWith($"$ meft bench {subject} ");
        run.Output.ShouldContain(" threads of the kernels");
        run.Output.ShouldContain(expected);
        using var document = JsonDocument.Parse(File.ReadAllText(output));
        document.RootElement.GetProperty("command").GetString()!.ShouldStartWith($"meft bench {subject} ");
    }

    [Fact]
    public void What_is_missing_or_wrong_is_named()
    {
        var model = SampleModel.Write(_folder);
        Error("speed").ShouldContain("'speed'");
        Error("speed").ShouldContain("kernels | optimizer | step | generate");
        Error("step", "--rows", Rows()).ShouldContain("--model is required");
        Error("step", "--model", model).ShouldContain("--rows is required");
        Error("step", "--model", _folder.File("no-model"), "--rows", Rows()).ShouldContain("no-model");
        Error("step", "--model", model, "--rows", _folder.File("no-rows.jsonl")).ShouldContain("no-rows.jsonl");
        Error("step", "--model", model, "--rows", Rows(), "--methods", "sparse").ShouldContain("parallel, masked, meft");
        Error("step", "--model", model, "--rows", Rows(), "--layers", "first:2").ShouldContain("--layers is 'first:2'");
        Error("step", "--model", model, "--rows", Rows(), "--layers", "every:0").ShouldContain("every:N");
        Error("step", "--model", model, "--rows", Rows(), "--layers", "last:3").ShouldContain("last:3");
        Error("step", "--model", model, "--rows", Rows(), "--ranks", "16,x").ShouldContain("--ranks is '16,x'");
        Error("step", "--model", model, "--rows", Rows(), "--base", "auto").ShouldContain("--base is 'auto'. Allowed: resident | streamed");
        Error("step", "--model", model, "--rows", Rows(), "--execution", "rows,tokens").ShouldContain("--execution is 'rows,tokens'. Allowed: rows | activations");
        Error("generate", "--model", model, "--recompute").ShouldContain("--recompute has no effect on generate");
        Error("step", "--model", model, "--rows", Rows(), "--repeats", "0").ShouldContain("--repeats is 0");
        Error("generate", "--model", model).ShouldContain("16 positions");
    }

    public void Dispose() => _folder.Dispose();

    private string Rows() => _folder.Write(
        "rows.jsonl", "{\"input_ids\":[0,1,2],\"labels\":[-100,1,2]}\n{\"input_ids\":[0,1,2,3,4],\"labels\":[0,1,2,3,4]}\n{\"input_ids\":[3,2],\"labels\":[3,2]}\n");

    private static string Error(params string[] arguments)
    {
        var run = ProgramRun.Of(["bench", .. arguments]);
        run.ExitCode.ShouldBe(2, run.Output);
        run.Output.ShouldBeEmpty();
        return run.Error;
    }

    private static JsonElement Json(params string[] arguments)
    {
        var run = ProgramRun.Of(["bench", .. arguments, "--json"]);
        run.ExitCode.ShouldBe(0, run.Error);
        using var document = JsonDocument.Parse(run.Output);
        document.RootElement.GetProperty("command").GetString().ShouldBe("meft bench " + string.Join(' ', arguments) + " --json");
        document.RootElement.GetProperty("machine").GetProperty("processor").GetString().ShouldNotBeNullOrEmpty();
        document.RootElement.GetProperty("machine").GetProperty("kernel_threads").GetInt32().ShouldBeGreaterThan(0);
        return document.RootElement.GetProperty("result").Clone();
    }
}
