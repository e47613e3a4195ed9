using System.Xml.Linq;
using Meft.Core.Configuration;
using Meft.Core.Metrics;
using Meft.Core.Planning;
using Meft.Reporting;
using Meft.TestSupport;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Reporting;

public sealed class RunReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void It_shows_curves_experts_samples_audit_and_config_and_is_well_formed()
    {
        _folder.Write("samples.jsonl", """
            {"step":0,"index":0,"prompt":"The <b>capital</b> of Ruritania is","text":" unknown","expected":" Strelsau","base":" unknown"}
            {"step":60,"index":0,"prompt":"The <b>capital</b> of Ruritania is","text":" Strelsau","expected":" Strelsau","base":" unknown"}
            """);
        _folder.Write("audit.json", """{"rows_read": 12345, "longest": [{"place": "a.jsonl:7", "tokens": 900}], "nothing": [], "refused_rows": 0, "shares": [0.5, 0.25], "train": {"lengths": {"p50": 12, "max": 30}, "shown": [{"place": "a.jsonl:1", "which": "the first", "tokens": 3, "parts": [{"text": "Say <hello>:", "is_trained": false}, {"text": " hello", "is_trained": true}]}]}, "overlap": {"identical_rows": 0, "first_rows": []}}""");
        var page = Page(History(60), RunState.Running);

        page.Descendants("h2").Select(h => h.Value).ShouldBe(
        [
            "Loss", "Learning rate", "Gradient norm before clipping", "Tokens a second", "Active rows, mean over layers", "Active rows by layer", "Expert load",
            "Dead experts and neurons", "Samples, before and after", "Memory against the plan", "Memory over the run, MiB", "Seconds a step, by phase",
            "Device memory at its peak, by cause", "Over the link, a step", "Data", "Config",
        ]);
        var text = page.Value;
        text.ShouldContain("The <b>capital</b> of Ruritania is"); // as text, not as markup
        page.Descendants("dd").Where(d => d.Attribute("class")?.Value == "same").ShouldHaveSingleItem().Value.ShouldBe("Strelsau");
        text.ShouldContain("rows read12,345");
        text.ShouldContain("a.jsonl:7");
        text.ShouldNotContain("nothing");
        text.ShouldNotContain("refused rows"); // there are none
        text.ShouldContain("p50 12 · max 30");
        text.ShouldContain("a.jsonl:1 · the first · tokens 3Say <hello>: hello");
        page.Descendants("mark").ShouldHaveSingleItem().Value.ShouldBe(" hello"); // the part that is trained
        page.Descendants("h3").Single(h => h.Value == "overlap").ElementsAfterSelf().First().Value.ShouldBe("none");
        text.ShouldContain("1 of 4"); // dead experts
        text.ShouldContain("rank: 32");
        text.ShouldContain("running");
        // Experts by load: of 100, 60, 40, 0 tokens the even share is 50.
        var strip = page.Descendants("svg").First(s => s.Attribute("aria-label")!.Value == "expert load of layer 3").Elements("rect").Select(r => r.Attribute("class")!.Value);
        strip.ShouldBe(["l4", "l3", "dead"]); // the two busiest are alike
    }

    [Theory]
    [InlineData(true, null, "stopped before the last step")]
    [InlineData(false, null, "finished")]
    [InlineData(null, "the loss of step 7 is NaN", "failed")]
    public void It_says_how_the_run_stands(bool? interrupted, string? failure, string state)
    {
        var result = interrupted is { } i ? new RunResult { Steps = 3, Interrupted = i, Seconds = 75, PeakResidentBytes = 3 << 20 } : null;
        var page = Page(History(3), new RunState(result, failure));
        page.Descendants("span").First().Value.ShouldBe(state);
        if (failure is not null) page.Value.ShouldContain(failure);
        else page.Value.ShouldContain("1 min 15 s");
    }

    [Fact]
    public void Before_the_first_step_it_is_a_page_all_the_same() => Page(new RunHistory(), RunState.Running).Value.ShouldContain("rank: 32");

    [Fact]
    public void It_does_not_grow_with_the_run()
    {
        // As many bins each: curves have 200 to 400 of them once a run is long.
        var (some, many) = (Html(History(25_000), RunState.Running).Length, Html(History(100_000), RunState.Running).Length);
        many.ShouldBeLessThan(some * 11 / 10);
        many.ShouldBeLessThan(400_000);
    }

    [Fact]
    public void It_needs_nothing_outside_of_itself()
    {
        var html = Html(History(10), RunState.Running);
        html.ShouldNotContain("http");
        html.ShouldNotContain("src=");
        html.ShouldContain("prefers-color-scheme: dark");
    }

    public void Dispose() => _folder.Dispose();

    private static RunHistory History(int steps)
    {
        var history = new RunHistory();
        history.Validation.Add(0, 4);
        for (var step = 1; step <= steps; step++)
        {
            history.Add(new LoggedStep(
                step, 4.0 / step + (step % 2 * 0.1), step % 20 == 0 ? 4.0 / step : double.NaN, 1, 1e-3, 500, 80, 0.5, 0.5, 1000 + step % 7, 2000,
                new Dictionary<string, double> { ["base_weights"] = 900 }, new Dictionary<string, double> { ["activations"] = 70 },
                new Dictionary<string, double> { ["forward"] = 0.2, ["backward"] = 0.3 }));
            if (step % 20 == 0) history.Add(new ExpertLoad(step, step - 19, 100, [new LayerLoad(3, 32, [60, 0, 100, 40], 0.4, 20, 5)]));
        }
        return history;
    }

    private string Html(RunHistory history, RunState state)
    {
        var config = new RunConfig
        {
            Model = "models/tiny",
            Output = _folder.Path,
            Data = new DataConfig { Train = ["rows.jsonl"] },
            Method = new MethodConfig { Kind = MethodKind.Meft, RequestedRank = 32, Experts = 4, Probe = 2, TopK = 8 },
        };
        return RunReport.Html(config, Plan, history, state, _folder.Path);
    }

    private XElement Page(RunHistory history, RunState state)
    {
        var html = Html(history, state);
        // The body is XML but for the script and what is HTML's own.
        var body = html[html.IndexOf("<body>", StringComparison.Ordinal)..html.IndexOf("<script>", StringComparison.Ordinal)] + "</body>";
        return XElement.Parse(body.Replace("&nbsp;", " ", StringComparison.Ordinal), LoadOptions.PreserveWhitespace);
    }

    private static RunPlan Plan => new()
    {
        Method = MethodKind.Meft,
        Accelerator = false,
        BaseParameters = 1000,
        TrainedParameters = 100,
        Workload = new Workload(100, 90, 80, 70, 1, 1, 60, null),
        Execution = new ExecutionPlan(ExecutionKind.Activations, BasePlacement.Resident, false),
        Memory = new MemoryPlan([new(MemoryTier.Device, "base weights", 900, 900), new(MemoryTier.Host, "moments", 400, 0)], false, 0, 0),
        Bounds = MemoryBounds.None,
        Step = new StepCost([new("forward", 1, 1, 0.25), new("backward", 1, 1, 0.25)]),
    };
}
