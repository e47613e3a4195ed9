using System.Text.Json;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public class DoctorVerbTests
{
    [Fact]
    public void Says_what_was_loaded_in_plain_lines()
    {
        var run = ProgramRun.Of("doctor");
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        foreach (var name in new[] { "processor", "cores", "vectors", "memory", "memory limit", "libtorch", "mended", "devices", "threads" })
            run.Output.ShouldContain($"\n{name} ");
        run.Output.ShouldNotContain("\u001b");
    }

    [Fact]
    public void Json_is_one_document()
    {
        var run = ProgramRun.Of("doctor", "--json");
        run.ExitCode.ShouldBe(0);
        using var json = JsonDocument.Parse(run.Output);
        var torch = json.RootElement.GetProperty("torch");
        torch.GetProperty("version").GetString().ShouldNotBeNull().ShouldStartWith("2.");
        File.Exists(torch.GetProperty("native").GetProperty("binding_path").GetString()).ShouldBeTrue();
        var devices = torch.GetProperty("devices").EnumerateArray().Select(d => d.GetString()).ToList();
        devices[0].ShouldBe("cpu");
        torch.GetProperty("cards").EnumerateArray().Select(c => c.GetProperty("name").GetString()).ShouldBe(devices.Skip(1));
        json.RootElement.GetProperty("processor").GetProperty("vector_bits").GetInt32().ShouldBeOneOf(0, 128, 256, 512);
        json.RootElement.GetProperty("memory").GetProperty("usable_bytes").GetInt64().ShouldBeGreaterThan(0);
    }
}
