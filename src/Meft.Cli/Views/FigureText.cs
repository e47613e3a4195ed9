using System.Globalization;
using Meft.Core.Comparisons.Results;
using Meft.Core.Evaluation.Results;

namespace Meft.Cli.Views;

/// <summary>Figures as text.</summary>
internal static class FigureText
{
    /// <summary>A value with the digits that matter.</summary>
    public static string Of(double value, ShownFigure figure) => figure.Unit == MetricUnit.Share
        ? string.Create(CultureInfo.InvariantCulture, $"{value * 100:0.0} %")
        : value.ToString(value < 100 ? "0.00" : "0", CultureInfo.InvariantCulture);
}
