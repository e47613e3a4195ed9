using Meft.Core.Configuration;
using Meft.Core.Evaluation.Statistics;

namespace Meft.Reporting.Comparisons;

/// <summary>A point of a plot.</summary>
/// <param name="X">Where, along.</param>
/// <param name="Y">Where, up; not a number: on the axis below, hollow, since it was not measured.</param>
/// <param name="Kind">What is trained; null for the base.</param>
/// <param name="Label">Its name; empty for none.</param>
/// <param name="Tip">What the pointer is told.</param>
internal sealed record PlotPoint(double X, double Y, MethodKind? Kind, string Label, string Tip)
{
    /// <summary>The interval of <see cref="X"/>.</summary>
    public ConfidenceInterval? Across { get; init; }

    /// <summary>The interval of <see cref="Y"/>.</summary>
    public ConfidenceInterval? Up { get; init; }
}

/// <summary>A line of a plot.</summary>
/// <param name="Points">Its points.</param>
/// <param name="Style">Classes of the page's style.</param>
/// <param name="Label">Its name, at its end; empty for none.</param>
internal sealed record PlotLine(IReadOnlyList<(double X, double Y)> Points, string Style, string Label);

/// <summary>An axis with how its numbers are told.</summary>
/// <param name="Title">What it measures.</param>
/// <param name="Axis">The axis.</param>
/// <param name="Format">A tick's text.</param>
internal sealed record PlotAxis(string Title, Axis Axis, Func<double, string> Format);

/// <summary>Points and lines over two axes.</summary>
internal sealed record Plot
{
    /// <summary>What is shown, for those who cannot see it.</summary>
    public required string Title { get; init; }

    /// <summary>The axis along.</summary>
    public required PlotAxis Across { get; init; }

    /// <summary>The axis up.</summary>
    public required PlotAxis Up { get; init; }

    /// <summary>The points.</summary>
    public required IReadOnlyList<PlotPoint> Points { get; init; }

    /// <summary>The lines, below the points.</summary>
    public IReadOnlyList<PlotLine> Lines { get; init; } = [];

    /// <summary>An upright line across the plot, with its name.</summary>
    public (double X, string Label)? Limit { get; init; }

    /// <summary>A level line across the plot, with its name.</summary>
    public (double Y, string Label)? Level { get; init; }
}
