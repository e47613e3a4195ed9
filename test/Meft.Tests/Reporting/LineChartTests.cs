using System.Xml.Linq;
using Meft.Reporting;
using Shouldly;

namespace Meft.Tests.Reporting;

public class LineChartTests
{
    [Fact]
    public void A_chart_is_well_formed_and_keeps_its_points_within_itself()
    {
        var svg = LineChart.Svg("a <title>", new Curve("loss & more", [(1, 3.5), (2, double.NaN), (3, 1), (4, -0.5)]), new Curve("validation", [(2, 2)], Marked: true));
        var page = XElement.Parse($"<div>{svg}</div>");
        var polylines = page.Descendants("polyline").ToList();
        polylines.Count.ShouldBe(2);
        var points = polylines[0].Attribute("points")!.Value.Split(' ');
        points.Length.ShouldBe(3); // a loss that is not finite is no point
        foreach (var point in points.Select(p => p.Split(',').Select(n => double.Parse(n, System.Globalization.CultureInfo.InvariantCulture)).ToArray()))
        {
            point[0].ShouldBeInRange(0, 640);
            point[1].ShouldBeInRange(0, 240);
        }
        page.Value.ShouldContain("loss & more");
        page.Descendants("circle").Count().ShouldBe(1);
    }

    [Fact]
    public void Of_many_points_means_are_drawn_and_of_none_nothing()
    {
        var svg = LineChart.Svg("many", new Curve("loss", [.. Enumerable.Range(0, 5_000).Select(i => ((double)i, 1.0))]));
        XElement.Parse($"<div>{svg}</div>").Descendants("polyline").Single().Attribute("points")!.Value.Split(' ').Length.ShouldBeLessThanOrEqualTo(400);
        LineChart.Svg("nothing", new Curve("loss", [(1, double.NaN)])).ShouldBeEmpty();
    }
}
