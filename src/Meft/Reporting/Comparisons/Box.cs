namespace Meft.Reporting.Comparisons;

/// <summary>A rectangle of a picture; y grows downwards.</summary>
/// <param name="X">Its left end.</param>
/// <param name="Y">Its upper end.</param>
/// <param name="Width">Its width.</param>
/// <param name="Height">Its height.</param>
internal readonly record struct Box(double X, double Y, double Width, double Height)
{
    /// <summary>A square around a point.</summary>
    public static Box Around(double x, double y, double half) => new(x - half, y - half, 2 * half, 2 * half);

    /// <summary>Squares along a line, so close that nothing gets between them.</summary>
    public static IEnumerable<Box> Along((double X, double Y) from, (double X, double Y) to)
    {
        var count = Math.Clamp((int)(Math.Max(Math.Abs(to.X - from.X), Math.Abs(to.Y - from.Y)) / 4), 1, 500);
        for (var i = 0; i <= count; i++)
            yield return Around(from.X + ((to.X - from.X) * i / count), from.Y + ((to.Y - from.Y) * i / count), 1);
    }

    /// <summary>The area that both cover.</summary>
    public double Shared(Box other) =>
        Math.Max(0, Math.Min(X + Width, other.X + other.Width) - Math.Max(X, other.X)) * Math.Max(0, Math.Min(Y + Height, other.Y + other.Height) - Math.Max(Y, other.Y));

    /// <summary>Whether it lies within another.</summary>
    public bool IsWithin(Box other) => X >= other.X && Y >= other.Y && X + Width <= other.X + other.Width && Y + Height <= other.Y + other.Height;

    /// <summary>Its point that is nearest to another point.</summary>
    public (double X, double Y) Nearest(double x, double y) => (Math.Clamp(x, X, X + Width), Math.Clamp(y, Y, Y + Height));
}
