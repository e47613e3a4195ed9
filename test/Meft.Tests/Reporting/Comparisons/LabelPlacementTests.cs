using CsCheck;
using Meft.Reporting.Comparisons;
using Shouldly;

namespace Meft.Tests.Reporting.Comparisons;

public class LabelPlacementTests
{
    private static readonly Box Bounds = new(0, 0, 500, 350);

    [Fact]
    public void Labels_cover_neither_one_another_nor_marks_and_stay_within() =>
        Gen.Select(Gen.Double[0, 500], Gen.Double[0, 350], Gen.Double[20, 180]).Array[1, 25].Sample(points =>
        {
            var placement = new LabelPlacement(Bounds);
            var marks = points.Select(p => Box.Around(p.Item1, p.Item2, 6)).ToList();
            foreach (var mark in marks) placement.Take(mark);
            var labels = new List<Box>();
            foreach (var (x, y, width) in points)
            {
                if (placement.Place(x, y, width, 15) is not { } label) continue;
                label.IsWithin(Bounds).ShouldBeTrue();
                labels.ShouldAllBe(other => other.Shared(label) == 0);
                marks.ShouldAllBe(mark => mark.Shared(label) == 0);
                labels.Add(label);
            }
        });

    [Fact]
    public void A_label_alone_stands_to_the_right_of_its_point()
    {
        var label = new LabelPlacement(Bounds).Place(100, 100, 50, 15);
        label.ShouldBe(new Box(107, 92.5, 50, 15));
        LabelPlacement.HasLeader(100, 100, label!.Value).ShouldBeFalse();
    }

    [Fact]
    public void A_label_crosses_a_line_only_where_there_is_no_other_place()
    {
        var placement = new LabelPlacement(Bounds);
        placement.Avoid((110, 0), (110, 350));
        placement.Place(100, 100, 50, 15)!.Value.X.ShouldBe(43); // to the left
        var narrow = new LabelPlacement(new Box(90, 80, 70, 40));
        narrow.Avoid((110, 0), (110, 350));
        narrow.Place(100, 100, 50, 15)!.Value.X.ShouldBe(107);
    }

    [Fact]
    public void Where_there_is_no_room_there_is_no_label() => new LabelPlacement(new Box(0, 0, 40, 350)).Place(20, 100, 50, 15).ShouldBeNull();
}
