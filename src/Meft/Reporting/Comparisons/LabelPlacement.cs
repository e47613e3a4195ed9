namespace Meft.Reporting.Comparisons;

/// <summary>
/// Labels beside points so that none covers another or a mark: each takes the nearest free place around its point, one that crosses no line if there is such
/// a place; one that finds none is left to a numbered legend. Greedy: a label that stands stays.
/// </summary>
/// <param name="bounds">Where labels may stand.</param>
internal sealed class LabelPlacement(Box bounds)
{
    private const double Gap = 4;

    private static readonly double[] Distances = [7, 12, 20, 30, 42, 56, 72, 90, 110, 132];

    /// <summary>Directions in the order of preference, in sixteenths of a turn: right, left, above, below, then those between.</summary>
    private static readonly int[] Directions = [0, 8, 12, 4, 15, 1, 14, 2, 9, 7, 10, 6, 13, 3, 11, 5];

    private readonly List<Box> _taken = [], _crossed = [];

    /// <summary>Takes a place.</summary>
    public void Take(Box box) => _taken.Add(box);

    /// <summary>Says where a line runs.</summary>
    public void Avoid((double X, double Y) from, (double X, double Y) to) => _crossed.AddRange(Box.Along(from, to));

    /// <summary>A free place near a point, which is taken then; null where there is none.</summary>
    /// <param name="x">The point.</param>
    /// <param name="y">The point.</param>
    /// <param name="width">How wide the label is.</param>
    /// <param name="height">How high it is.</param>
    public Box? Place(double x, double y, double width, double height)
    {
        if ((Free(x, y, width, height, mayCross: false) ?? Free(x, y, width, height, mayCross: true)) is not { } box) return null;
        _taken.Add(new Box(box.X - Gap, box.Y, box.Width + (2 * Gap), box.Height));
        if (HasLeader(x, y, box)) _taken.AddRange(Leader(x, y, box));
        return box;
    }

    private Box? Free(double x, double y, double width, double height, bool mayCross)
    {
        foreach (var distance in Distances)
        {
            foreach (var direction in Directions)
            {
                var (dx, dy) = (Math.Cos(direction * Math.PI / 8), Math.Sin(direction * Math.PI / 8));
                // The label's nearest edge is so far away.
                var box = new Box(
                    x + (dx * distance) + (dx > 0.1 ? 0 : dx < -0.1 ? -width : -width / 2),
                    y + (dy * distance) + (dy > 0.9 ? 0 : dy < -0.9 ? -height : -height / 2), width, height);
                if (!box.IsWithin(bounds) || _taken.Any(t => t.Shared(box) > 0) || (!mayCross && _crossed.Any(c => c.Shared(box) > 0))) continue;
                if (HasLeader(x, y, box) && Leader(x, y, box).Any(step => _taken.Any(t => !IsAt(t, x, y) && t.Shared(step) > 0))) continue;
                return box;
            }
        }
        return null;
    }

    /// <summary>Whether a mark is that of the point, or so near to it that no line could leave the point without crossing it.</summary>
    private static bool IsAt(Box mark, double x, double y) =>
        mark.Width < 14 && Math.Abs(mark.X + (mark.Width / 2) - x) < 12 && Math.Abs(mark.Y + (mark.Height / 2) - y) < 12;

    /// <summary>Whether a label is so far from its point that a line must say whose it is.</summary>
    public static bool HasLeader(double x, double y, Box label)
    {
        var (nearX, nearY) = label.Nearest(x, y);
        return Math.Sqrt(((nearX - x) * (nearX - x)) + ((nearY - y) * (nearY - y))) > 14;
    }

    private static IEnumerable<Box> Leader(double x, double y, Box label)
    {
        var (nearX, nearY) = label.Nearest(x, y);
        var length = Math.Max(1e-9, Math.Sqrt(((nearX - x) * (nearX - x)) + ((nearY - y) * (nearY - y))));
        return Box.Along((x + ((nearX - x) * 7 / length), y + ((nearY - y) * 7 / length)), (nearX, nearY));
    }
}
