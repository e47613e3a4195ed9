using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Meft.Core.Comparisons.Results;
using Meft.Reporting.Comparisons;
using Meft.TestSupport.Comparisons;
using Shouldly;

namespace Meft.Tests.Reporting.Comparisons;

public partial class ComparisonReportTests
{
    public static TheoryData<ComparisonResult> Samples() => new(
        SampleComparisons.Facts(), SampleComparisons.One(), SampleComparisons.NothingYet(), SampleComparisons.HalfWay(), SampleComparisons.Many(), Odd());

    [Theory]
    [MemberData(nameof(Samples), DisableDiscoveryEnumeration = true)]
    public void A_page_is_well_formed_and_names_every_method(ComparisonResult result)
    {
        var body = Body(result);
        foreach (var attribute in body.Descendants().Attributes())
        {
            if (attribute.Name.LocalName is "title" or "aria-label" or "class") continue;
            attribute.Value.ShouldNotContain("NaN");
            attribute.Value.ShouldNotContain("∞");
        }
        foreach (var table in body.Descendants("table").Where(t => t.Attribute("class")!.Value == "sheet"))
            table.Descendants("tr").Select(r => r.Elements().First().Value).Where(n => n is not ("method" or "base alone")).ShouldBe(result.Methods.Select(m => m.Name));
        foreach (var (svg, width, height) in body.Descendants("figure").Elements("svg").Select(Sized))
        {
            foreach (var text in svg.Descendants("text"))
            {
                Number(text, "x").ShouldBeInRange(0, width);
                Number(text, "y").ShouldBeInRange(0, height);
            }
        }
    }

    [Fact]
    public void A_page_of_facts_has_its_pictures_in_both_sizes_with_labels_that_are_told_apart()
    {
        var facts = SampleComparisons.Facts();
        var body = Body(facts);
        body.Descendants("h2").Select(h => h.Value).ShouldBe(
        [
            "efficacy against device memory", "efficacy against trained parameters",
            "generalisation against device memory", "generalisation against trained parameters", "Figures", "Least and largest of the seeds", "Costs",
            "Seconds a step against R", "Old knowledge: neighbours against efficacy", "Old knowledge: wikitext2 perplexity against efficacy", "Learning rates on the held-out split",
            "Dead experts and neurons by layer", "Config: compare-facts.yaml",
        ]);
        foreach (var style in new[] { "plot broad", "plot slim" })
        {
            var figures = body.Descendants("figure").Where(f => f.Attribute("class")!.Value == style).ToList();
            figures.Count.ShouldBe(8);
            var bytes = figures[0].Descendants("text").Select(t => t.Value).ToList();
            foreach (var method in facts.Methods) bytes.ShouldContain(t => t.Contains(method.Name, StringComparison.Ordinal));
            bytes.ShouldContain("budget 1 GiB");
            bytes.ShouldContain("base alone");
            // What does not fit is hollow, at what it would need, on the axis.
            var hollow = figures[0].Descendants("path").Single(p => p.Attribute("class")!.Value.EndsWith("hollow", StringComparison.Ordinal));
            hollow.Attribute("class")!.Value.ShouldBe("mark m-full hollow");
            hollow.Parent!.Element("title")!.Value.ShouldContain("2.26 GiB");
            figures[0].Descendants("path").Count().ShouldBe(8);
            figures[4].Value.ShouldContain("∝ √R");
        }
    }

    [Fact]
    public void Names_are_text_not_markup()
    {
        var html = ComparisonReport.Html(SampleComparisons.Many(), "a: <script>");
        html.ShouldNotContain("<idle>");
        html.ShouldNotContain("<script");
        Body(SampleComparisons.Many()).Value.ShouldContain("touched & <idle> rows");
    }

    [Fact]
    public void It_says_what_failed_and_what_is_not_done()
    {
        var text = Body(SampleComparisons.HalfWay()).Value;
        text.ShouldContain("not finished");
        text.ShouldContain("parallel R = 4,096 failed: the loss of step 31 is not finite in seed 0.");
        text.ShouldContain("LoRA r = 8 at 0.004: the loss of step 12 is not finite.");
        text.ShouldContain("4 of 8");
    }

    [Fact]
    public void Without_figures_there_are_tables_and_no_pictures()
    {
        var body = Body(SampleComparisons.NothingYet());
        body.Descendants("figure").ShouldBeEmpty();
        body.Descendants("h2").Select(h => h.Value).ShouldBe(["Figures", "Costs", "Config: compare-facts.yaml"]);
    }

    [Fact]
    public void It_needs_nothing_outside_of_itself()
    {
        var html = ComparisonReport.Html(SampleComparisons.Facts(), "");
        html.ShouldNotContain("http");
        html.ShouldNotContain("src=");
        html.ShouldContain("prefers-color-scheme: dark");
    }

    [Theory]
    [MemberData(nameof(Samples), DisableDiscoveryEnumeration = true)]
    public void A_picture_is_a_document_of_its_own(ComparisonResult result)
    {
        foreach (var axis in Enum.GetValues<PictureAxis>())
        {
            var svg = XDocument.Parse(ComparisonPicture.Svg(result, axis)).Root!;
            svg.Name.ShouldBe(XName.Get("svg", "http://www.w3.org/2000/svg"));
            svg.Descendants().Attributes().ShouldAllBe(a => !a.Value.Contains("NaN", StringComparison.Ordinal));
            // What has no bytes or no parameters has no place.
            foreach (var method in result.Methods.Where(m => m.Parameters > 0 && m.Figures is not null && double.IsFinite(m.Figures[0].Value))) svg.Value.ShouldContain(method.Name);
            if (result.Methods.All(m => m.Figures is null)) svg.Value.ShouldContain("no method has a figure yet");
        }
    }

    [Fact]
    public void Each_figure_that_tells_what_was_learnt_has_a_picture_file()
    {
        var files = ComparisonPicture.Files(SampleComparisons.Facts()).ToList();
        files.Select(f => f.File).ShouldBe(["score.svg", "score-generalisation.svg"]);
        files.Select(f => XDocument.Parse(f.Svg).Root!.Attribute("aria-label")!.Value.Split(',')[0])
            .ShouldBe(["efficacy against trained parameters", "generalisation against trained parameters"]);
    }

    /// <summary>Numbers that are not finite, zero costs, one layer, a name that XML has no place for.</summary>
    private static ComparisonResult Odd()
    {
        var facts = SampleComparisons.Facts();
        var methods = facts.Methods.ToArray();
        var odd = new FigureValue(double.NaN, new(double.NegativeInfinity, double.NaN), [double.NaN], new FigureDifference(double.NaN, null));
        methods[1] = methods[1] with { Figures = [odd, odd, odd, odd], Grid = [new(1e-3, double.NaN, null), new(2e-3, double.PositiveInfinity, null)] };
        methods[2] = methods[2] with { Cost = methods[2].Cost! with { StepSeconds = 0, DeviceBytesPeak = 0, LinkBytesPerStep = double.NaN }, Parameters = 0, LearningRate = double.NaN };
        methods[3] = methods[3] with { Name = "bell &amp;", Figures = [facts.Methods[3].Figures![0], odd, odd, facts.Methods[3].Figures![3] with { Value = double.PositiveInfinity }] };
        methods[4] = methods[4] with { DeadExperts = [new(0, double.NaN)], DeadRows = [new(0, 0.5), new(0, 0.5)] };
        return facts with { Methods = methods };
    }

    private static (XElement Svg, double Width, double Height) Sized(XElement svg)
    {
        var box = svg.Attribute("viewBox")!.Value.Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return (svg, box[2], box[3]);
    }

    private static double Number(XElement element, string attribute) => double.Parse(element.Attribute(attribute)!.Value, CultureInfo.InvariantCulture);

    /// <summary>The page's body, which is XML.</summary>
    private static XElement Body(ComparisonResult result) =>
        XElement.Parse(Bodies().Match(ComparisonReport.Html(result, "seeds: [0, 1] # <all>")).Value, LoadOptions.PreserveWhitespace);

    [GeneratedRegex("<body>.*</body>", RegexOptions.Singleline)]
    private static partial Regex Bodies();
}
