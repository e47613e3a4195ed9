using System.Text.Json;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Processes;

/// <summary>What a process takes while it loads a real model: at most its weights as they are held and one tensor more.</summary>
public class LoadMemoryTests
{
    [Theory]
    [Trait("Category", "Fixtures")]
    [InlineData("bf16")]
    [InlineData("fp32")]
    public void Loading_takes_the_weights_and_less_than_the_largest_tensor(string dtype)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the memory of a process is read as Linux tells it");
        using var process = MeftProcess.Start(
            "bench", "load", "--model", Assets.Require("models", "smollm2-135m-instruct"), "--dtype", dtype, "--quantize", "none,int8,nf4,gguf", "--warm-up", "0",
            "--repeats", "1", "--json");
        process.WaitForExit().ShouldBe(0, process.Text);
        using var json = JsonDocument.Parse(process.Text[process.Text.IndexOf('{')..(process.Text.LastIndexOf('}') + 1)]);
        var figures = json.RootElement.GetProperty("result").EnumerateArray().ToList();
        figures.Select(f => f.GetProperty("base").GetString()).ShouldBe(["none", "int8", "nf4", "gguf"]);
        foreach (var figure in figures)
        {
            long weights = figure.GetProperty("weight_bytes").GetInt64(), largest = figure.GetProperty("largest_tensor_bytes").GetInt64();
            figure.GetProperty("peak_anonymous_bytes").GetInt64().ShouldBeInRange(weights / 2, weights + largest);
            figure.GetProperty("peak_resident_bytes").GetInt64().ShouldBeInRange(weights / 2, weights + largest);
        }
    }
}
