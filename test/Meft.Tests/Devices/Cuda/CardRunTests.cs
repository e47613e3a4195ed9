using System.Text.Json;
using Meft.Tests.Training.Runs;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Devices.Cuda;

/// <summary>Whole runs on a real card: every method and placement takes the steps that it takes on the CPU.</summary>
[Trait("Category", "Card")]
public sealed class CardRunTests : IDisposable
{
    private static readonly Dictionary<string, (string Method, string[] Sets)> Cases = new()
    {
        ["activations travel"] = (SampleRun.Sparse, ["method.execution=activations"]),
        ["rows travel"] = (SampleRun.Sparse, ["method.execution=rows"]),
        ["rows travel, recompute"] = (SampleRun.Sparse, ["method.execution=rows", "recompute=on"]),
        ["softmax gate"] = (SampleRun.Sparse, ["method.gate=softmax"]),
        ["streamed base"] = (SampleRun.Sparse, ["method.execution=activations", "base=streamed"]),
        ["streamed base, rows travel"] = (SampleRun.Sparse, ["method.execution=rows", "base=streamed"]),
        ["int8 base"] = (SampleRun.Sparse, ["quantize=int8"]),
        ["nf4 base"] = (SampleRun.Sparse, ["quantize=nf4"]),
        ["no router, last layers"] = ("method: {kind: meft, rank: 48, top_k: 5, experts: 0, layers: 'last:2'}", []),
        ["LoRA"] = ("method: {kind: lora, rank: 4, targets: all-linear}", []),
        ["LoRA, nf4 base, recompute"] = ("method: {kind: lora, rank: 4, targets: all-linear}", ["quantize=nf4", "recompute=on"]),
        ["parallel"] = ("method: {kind: parallel, rank: 32}", []),
        ["full"] = ("method: {kind: full}", ["optimizer.learning_rate=1e-3"]),
    };

    private readonly SampleRun _sample = new();

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Losses_are_those_of_the_CPU_and_memory_is_no_more_than_was_planned(string name)
    {
        Card.Require();
        var (method, sets) = Cases[name];
        SampleRun.Run(_sample.Config("cpu", method, sets));
        SampleRun.Run(_sample.Config("card", method, [.. sets, "device=cuda"]));
        Numbers("card", "loss").ShouldBe(Numbers("cpu", "loss"), 2e-3);
        Numbers("card", "device_bytes_peak").Max().ShouldBeLessThan(1.1 * Planned("card"));
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_from_its_checkpoint()
    {
        Card.Require();
        SampleRun.Run(_sample.Config("cpu"));
        SampleRun.Run(_sample.Config("card", sets: "device=cuda"), stopAfter: 4).Interrupted.ShouldBeTrue();
        SampleRun.Run(_sample.Config("card", sets: "device=cuda"), ExistingRun.Resume).Steps.ShouldBe(9);
        Numbers("card", "loss").ShouldBe(Numbers("cpu", "loss"), 2e-3);
    }

    public void Dispose() => _sample.Dispose();

    private double Planned(string output)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(_sample.File(Path.Combine(output, "result.json"))));
        return json.RootElement.GetProperty("predicted").GetProperty("device_bytes_peak").GetDouble();
    }

    private double[] Numbers(string output, string name) => [.. File.ReadAllLines(_sample.File(Path.Combine(output, "metrics.jsonl"))).Select(line =>
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty(name).GetDouble();
    })];
}
