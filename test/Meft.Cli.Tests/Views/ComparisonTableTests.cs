using Meft.Cli.Views;
using Meft.Core.Comparisons.Results;
using Meft.TestSupport.Comparisons;
using Shouldly;

namespace Meft.Cli.Tests.Views;

public class ComparisonTableTests
{
    public static TheoryData<ComparisonResult, int> Cases() => new(
        from result in new[] { SampleComparisons.Facts(), SampleComparisons.One(), SampleComparisons.NothingYet(), SampleComparisons.HalfWay(), SampleComparisons.Many() }
        from width in new[] { 100, 120, 400 }
        select (result, width));

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void Lines_keep_to_the_width_and_every_method_is_named(ComparisonResult result, int width)
    {
        var lines = Lines(result, width);
        lines.ShouldAllBe(line => line.Length <= width);
        lines.ShouldAllBe(line => line.Length == line.TrimEnd().Length);
        var tables = lines.Count(line => line.StartsWith("method ", StringComparison.Ordinal));
        foreach (var method in result.Methods.Where(m => m.Name.Length <= 30)) lines.Count(line => line.StartsWith(method.Name + "  ", StringComparison.Ordinal)).ShouldBe(tables);
        var spread = lines.Contains("least and largest of the seeds:") ? 1 : 0;
        spread.ShouldBe(result.Methods.Any(m => m.Figures is [{ PerSeed.Count: > 1 }, ..]) ? 1 : 0);
        if (width == 400) tables.ShouldBe(1 + spread);
        if (width == 120 && result.Methods.Count < 10) tables.ShouldBe(result.IsJudged ? 2 + spread : 1);
        if (result.Methods.Any(m => m.Name.Contains("<idle>", StringComparison.Ordinal)))
            string.Join('\n', lines).ShouldContain("\n  touched & <idle> rows\n"); // what a long name goes on with
    }

    [Fact]
    public void Costs_and_scores_stand_below_one_another()
    {
        var lines = Lines(SampleComparisons.Facts(), 120);
        lines[0].ShouldBe("compare-facts.yaml: smollm2-135m-instruct, 135 M parameters; 1,000 training rows, seeds 0, 1, 2; device budget 1.00 GiB.");
        lines[2].ShouldBe("method              parameters          device bytes  host bytes  link/step  s/step  tokens    rate");
        lines[3].ShouldBe("LoRA r = 8              2.44 M               331 MiB    37.3 MiB        0 B   0.473   117 k   0.001"); // the base costs nothing
        lines[10].ShouldBe("all weights              135 M  ~2.26 GiB > 1.00 GiB   ~2.00 GiB          –       –       –       –");
        lines[12].ShouldBe("                                                                                      neighbours,             wikitext2");
        lines[13].ShouldBe("method                    efficacy, %         to LoRA r = 8  generalisation, %            % (old)    perplexity ↓ (old)");
        lines[14].ShouldStartWith("base alone             0.6 [0.2, 1.0]");
        lines.Last(l => l.Length > 0).ShouldBe("AMD EPYC 9965, 2 threads, AVX-512, 30 GiB of memory, cpu; meft 0.1.0.");
    }

    private static string[] Lines(ComparisonResult result, int width)
    {
        var text = new StringWriter();
        ComparisonTable.Write(result, text, width);
        return text.ToString().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
    }
}
