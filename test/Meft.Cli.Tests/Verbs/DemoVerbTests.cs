using System.Text.Json;
using Meft.Cli.Verbs;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public sealed class DemoVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Off_a_terminal_it_writes_plain_lines_and_a_table_and_files()
    {
        var run = ProgramRun.Of("demo", "--quick", "--output", _folder.Path);
        run.ExitCode.ShouldBe(0);
        (run.Output + run.Error).ShouldNotContain("\u001b");
        (run.Output + run.Error).ShouldNotContain("\r");
        foreach (var label in new[] { "base alone", "LoRA r = 8", "MEFT R = 1,024", "new facts", "link/step", "host bytes", "device budget", "dense R = 2,048 does not fit: " })
            run.Output.ShouldContain(label);
        run.Output.ShouldContain("taught          A letter for");
        run.Output.ShouldContain("MEFT R = 1,024 against LoRA r = 8: ");
        run.Output.Split('\n').Max(line => line.Length).ShouldBeLessThanOrEqualTo(120);
        run.Error.ShouldContain("base model from scratch");
        run.ErrorLines.ShouldContain(line => line.StartsWith("LoRA r = 8: ", StringComparison.Ordinal) && line.Contains("of the new facts recalled"));

        Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)
            .ShouldBe(["demo.json", "device.svg", "parameters.svg", "report.html", "table.md"]);
        File.ReadAllText(_folder.File("report.html")).ShouldContain("MEFT R = 1,024");
        File.ReadAllText(_folder.File("device.svg")).ShouldStartWith("<svg");
    }

    [Fact]
    public void Json_is_one_document_that_the_folder_holds_too()
    {
        var run = ProgramRun.Of("demo", "--quick", "--json", "--seed", "5", "--output", _folder.Path);
        run.ExitCode.ShouldBe(0);
        File.ReadAllText(_folder.File("demo.json")).TrimEnd().ShouldBe(run.Output.TrimEnd());
        using var json = JsonDocument.Parse(run.Output);
        json.RootElement.GetProperty("seed").GetInt64().ShouldBe(5);
        json.RootElement.GetProperty("base").GetProperty("training").GetProperty("cost").GetProperty("steps").GetInt32().ShouldBe(250);
        json.RootElement.GetProperty("samples").GetArrayLength().ShouldBe(2);
        var comparison = json.RootElement.GetProperty("comparison");
        var before = comparison.GetProperty("before")[0].GetProperty("value").GetDouble();
        var methods = comparison.GetProperty("methods").EnumerateArray().ToDictionary(m => m.GetProperty("id").GetString()!);
        methods["meft-1024"].GetProperty("figures")[0].GetProperty("value").GetDouble().ShouldBeGreaterThan(before);
        methods["meft-1024"].GetProperty("cost").GetProperty("host_bytes").GetInt64().ShouldBeGreaterThan(0);
        methods["parallel-2048"].GetProperty("does_not_fit").GetString().ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void A_page_that_is_not_a_demo_s_is_not_replaced()
    {
        var page = _folder.Write("report.html", "mine");
        var run = ProgramRun.Of("demo", "--quick", "--output", _folder.Path);
        (run.ExitCode, run.Output).ShouldBe((2, ""));
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("report.html");
        File.ReadAllText(page).ShouldBe("mine");
    }

    [Fact]
    public void A_negative_seed_is_refused()
    {
        var run = ProgramRun.Of("demo", "--quick", "--seed", "-1", "--output", _folder.Path);
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("--seed is -1");
    }

    [Fact]
    public void Interrupted_it_says_so_and_shows_no_result()
    {
        var run = ProgramRun.OfInterruptible(VerbList.Create(), ["demo", "--quick", "--output", _folder.Path], new CancellationToken(canceled: true));
        (run.ExitCode, run.Output).ShouldBe((1, ""));
        run.ErrorLines[^1].ShouldBe("stopped before the work was done.");
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }
}
