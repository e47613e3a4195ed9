using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Meft.Core.Metrics;
using Meft.Reporting;
using Shouldly;

namespace Meft.Tests.Reporting;

public class LineChartTests
{
    [Fact]
    public void A_chart_is_well_formed_and_keeps_its_points_within_itself()
    {
        var svg = LineChart.Svg(
            "a <title>", null, fromZero: true, new Curve("loss & more", Bins((1, 3.5), (2, double.NaN), (3, 1), (4, -0.5))), new Curve("validation", Bins((2, 2)), Marked: true));
        var page = XElement.Parse($"<div>{svg}</div>");
        var polylines = page.Descendants("polyline").ToList();
        polylines.Count.ShouldBe(2);
        var points = polylines[0].Attribute("points")!.Value.Split(' ');
        points.Length.ShouldBe(3); // a loss that is not finite is no point
        foreach (var point in points.Select(p => p.Split(',').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray()))
        {
            point[0].ShouldBeInRange(0, LineChart.Width);
            point[1].ShouldBeInRange(0, LineChart.Height);
        }
        page.Value.ShouldContain("loss & more");
        page.Descendants("circle").Count().ShouldBe(1);

        using var pointer = JsonDocument.Parse(page.Descendants("svg").Single().Attribute("data-curves")!.Value);
        pointer.RootElement[0][1][2][2].GetString().ShouldBe("step 4");
        pointer.RootElement[0][1][2][3].GetString().ShouldBe("-0.5");
    }

    [Fact]
    public void Steps_that_share_a_point_show_their_range_behind_it()
    {
        var series = new BinnedSeries();
        for (var step = 1; step <= 5_000; step++) series.Add(step, step % 2);
        var page = XElement.Parse($"<div>{LineChart.Svg("many", null, fromZero: false, new Curve("loss", series.Bins))}</div>");
        page.Descendants("polyline").Single().Attribute("points")!.Value.Split(' ').Length.ShouldBeLessThanOrEqualTo(BinnedSeries.DefaultCapacity);
        page.Descendants("polygon").Count().ShouldBe(1);
    }

    [Fact]
    public void Of_nothing_there_is_no_chart() =>
        LineChart.Svg("nothing", null, fromZero: false, new Curve("loss", Bins((1, double.NaN)))).ShouldBeEmpty();

    private static IReadOnlyList<SeriesBin> Bins(params ReadOnlySpan<(int Step, double Value)> values)
    {
        var series = new BinnedSeries();
        foreach (var (step, value) in values) series.Add(step, value);
        return series.Bins;
    }
}
