using System.Text.Json;
using Meft.Cli.Verbs;
using Shouldly;

namespace Meft.Cli.Tests.Verbs;

public class DemoVerbTests
{
    [Fact]
    public void Off_a_terminal_it_writes_plain_lines_and_a_table()
    {
        var run = ProgramRun.Of("demo", "--quick");
        run.ExitCode.ShouldBe(0);
        (run.Output + run.Error).ShouldNotContain("\u001b");
        (run.Output + run.Error).ShouldNotContain("\r");
        foreach (var label in new[] { "new facts recalled", "loss on old text", "trained parameters", "seconds a step", "device memory", "host memory" })
            run.Output.ShouldContain(label);
        run.Output.ShouldContain("with meft");
        run.Error.ShouldContain("base model from scratch");
        run.Error.ShouldContain("new facts through the sparse adapter");
    }

    [Fact]
    public void Json_is_one_document()
    {
        var run = ProgramRun.Of("demo", "--quick", "--json", "--seed", "5");
        run.ExitCode.ShouldBe(0);
        using var json = JsonDocument.Parse(run.Output);
        json.RootElement.GetProperty("seed").GetInt64().ShouldBe(5);
        var before = json.RootElement.GetProperty("base").GetProperty("knowledge").GetProperty("new_facts").GetDouble();
        var method = json.RootElement.GetProperty("methods")[0];
        method.GetProperty("name").GetString().ShouldBe("meft");
        method.GetProperty("knowledge").GetProperty("new_facts").GetDouble().ShouldBeGreaterThan(before);
        method.GetProperty("training").GetProperty("host_bytes").GetInt64().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void A_negative_seed_is_refused()
    {
        var run = ProgramRun.Of("demo", "--quick", "--seed", "-1");
        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("--seed is -1");
    }

    [Fact]
    public void Interrupted_it_says_so_and_shows_no_result()
    {
        var run = ProgramRun.OfInterruptible(VerbList.Create(), ["demo", "--quick"], new CancellationToken(canceled: true));
        (run.ExitCode, run.Output).ShouldBe((1, ""));
        run.ErrorLines[^1].ShouldBe("error: stopped before the work was done.");
    }
}
