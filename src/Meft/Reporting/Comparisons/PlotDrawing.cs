using System.Text;
using Meft.Core.Configuration;
using Meft.Core.Evaluation.Statistics;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting.Comparisons;

/// <summary>A plot drawn as SVG of a size: axes, lines, marks with whiskers, and labels where there is room for them, else numbers with a legend below.</summary>
internal sealed class PlotDrawing
{
    private const double Top = 28, Right = 12, TickGap = 7;

    private readonly StringBuilder _svg = new();
    private readonly List<(string Text, double X, double Y, MethodKind? Kind, string Style)> _labels = [];
    private readonly LabelPlacement _placement;
    private readonly Plot _plot;
    private readonly double _left, _right, _bottom;

    private PlotDrawing(Plot plot, double width, double height)
    {
        _plot = plot;
        _left = plot.Up.Axis.Ticks.Select(t => PlotText.Width(plot.Up.Format(t))).DefaultIfEmpty(0).Max() + TickGap + 3;
        (_right, _bottom) = (width - Right, height - 42);
        _placement = new LabelPlacement(new Box(_left + 2, Top - 14, _right - _left + Right - 4, _bottom - Top + 12));
    }

    /// <summary>What is within the picture, and how high it has become.</summary>
    public static (string Content, double Height) Draw(Plot plot, double width, double height)
    {
        var drawing = new PlotDrawing(plot, width, height);
        drawing.Axes();
        drawing.Guides();
        foreach (var line in plot.Lines) drawing.Line(line);
        foreach (var point in plot.Points) drawing.Whiskers(point);
        foreach (var point in plot.Points) drawing.Point(point);
        var legend = drawing.Labels(height);
        return (drawing._svg.ToString(), height + legend);
    }

    private double X(double value) => _left + (Math.Clamp(_plot.Across.Axis.Place(value), -0.02, 1.02) * (_right - _left));

    private double Y(double value) => double.IsFinite(value) ? _bottom - (Math.Clamp(_plot.Up.Axis.Place(value), -0.02, 1.02) * (_bottom - Top)) : _bottom;

    private void Axes()
    {
        foreach (var tick in _plot.Up.Axis.Ticks)
        {
            _svg.Append(Invariant($"<line class=\"grid\" x1=\"{_left:F1}\" x2=\"{_right:F1}\" y1=\"{Y(tick):F1}\" y2=\"{Y(tick):F1}\"/>"));
            Text(_left - TickGap, Y(tick) + 4, _plot.Up.Format(tick), "end");
        }
        double last = double.NegativeInfinity;
        foreach (var tick in _plot.Across.Axis.Ticks)
        {
            var text = _plot.Across.Format(tick);
            var half = PlotText.Width(text) / 2;
            var x = Math.Clamp(X(tick), half, _right + Right - half);
            if (x - half < last + 6) continue; // no room
            last = x + half;
            _svg.Append(Invariant($"<line class=\"grid\" x1=\"{X(tick):F1}\" x2=\"{X(tick):F1}\" y1=\"{Top:F1}\" y2=\"{_bottom + 4:F1}\"/>"));
            Text(x, _bottom + 18, text, "middle");
        }
        _svg.Append(Invariant($"<line class=\"axis\" x1=\"{_left:F1}\" x2=\"{_right:F1}\" y1=\"{_bottom:F1}\" y2=\"{_bottom:F1}\"/>"));
        Text(2, 12, _plot.Up.Title, "start");
        Text(_right, _bottom + 35, _plot.Across.Title, "end");
    }

    private void Guides()
    {
        if (_plot.Limit is { } limit)
        {
            var x = X(limit.X);
            _svg.Append(Invariant($"<line class=\"limit\" x1=\"{x:F1}\" x2=\"{x:F1}\" y1=\"{Top - 4:F1}\" y2=\"{_bottom:F1}\"/>"));
            _placement.Avoid((x, Top), (x, _bottom));
            var width = PlotText.Width(limit.Label);
            var toTheLeft = x + width + 8 > _right + Right;
            Text(x + (toTheLeft ? -5 : 5), Top + 5, limit.Label, toTheLeft ? "end" : "start", "limit");
            _placement.Take(new Box(toTheLeft ? x - width - 8 : x, Top - 8, width + 8, PlotText.Line + 2));
        }
        if (_plot.Level is { } level)
        {
            var y = Y(level.Y);
            _svg.Append(Invariant($"<line class=\"level\" x1=\"{_left:F1}\" x2=\"{_right:F1}\" y1=\"{y:F1}\" y2=\"{y:F1}\"/>"));
            _placement.Avoid((_left, y), (_right, y));
            var above = y - PlotText.Line > Top;
            // On the left: what does not fit stands on the right, near the lowest scores.
            Text(_left + 4, above ? y - 5 : y + PlotText.Line, level.Label, "start", "level");
            _placement.Take(new Box(_left, above ? y - PlotText.Line - 2 : y + 2, PlotText.Width(level.Label) + 8, PlotText.Line));
        }
    }

    private void Line(PlotLine line)
    {
        var points = line.Points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y)).Select(p => (X: X(p.X), Y: Y(p.Y))).ToList();
        if (points.Count == 0) return;
        if (points.Count > 1) _svg.Append($"<polyline class=\"line {line.Style}\" points=\"{string.Join(' ', points.Select(p => Invariant($"{p.X:F1},{p.Y:F1}")))}\"/>");
        for (var i = 1; i < points.Count; i++) _placement.Avoid(points[i - 1], points[i]);
        if (line.Label.Length > 0) _labels.Add((line.Label, points[^1].X, points[^1].Y, null, "quiet"));
    }

    private void Whiskers(PlotPoint point)
    {
        var (x, y) = (X(point.X), Y(point.Y));
        if (Finite(point.Up) is { } up && double.IsFinite(point.Y)) Whisker(point.Kind, (x, Y(up.Low)), (x, Y(up.High)));
        if (Finite(point.Across) is { } across) Whisker(point.Kind, (X(across.Low), y), (X(across.High), y));
    }

    private void Whisker(MethodKind? kind, (double X, double Y) from, (double X, double Y) to)
    {
        _svg.Append(Invariant($"<line class=\"whisker {Mark.Style(kind)}\" x1=\"{from.X:F1}\" x2=\"{to.X:F1}\" y1=\"{from.Y:F1}\" y2=\"{to.Y:F1}\"/>"));
        _placement.Avoid(from, to);
    }

    private void Point(PlotPoint point)
    {
        var (x, y) = (X(point.X), Y(point.Y));
        _svg.Append($"<g><title>{PlotText.Xml(point.Tip)}</title>{Mark.Svg(point.Kind, x, y, !double.IsFinite(point.Y))}</g>");
        _placement.Take(Box.Around(x, y, 6));
        if (point.Label.Length > 0) _labels.Add((point.Label, x, y, point.Kind, Mark.Style(point.Kind)));
    }

    /// <summary>Labels, the most crowded first; what is left is numbered. Gives the height of the legend below the picture.</summary>
    private double Labels(double height)
    {
        var legend = 0;
        foreach (var label in _labels.OrderByDescending(a => _labels.Sum(b => 1 / (12 + Math.Abs(a.X - b.X) + Math.Abs(a.Y - b.Y)))))
        {
            if (_placement.Place(label.X, label.Y, PlotText.Width(label.Text), PlotText.Line) is { } box)
            {
                Label(label.Text, label.X, label.Y, box, label.Style);
                continue;
            }
            legend++;
            var number = Invariant($"{legend}");
            var place = _placement.Place(label.X, label.Y, PlotText.Width(number), PlotText.Size) ?? new Box(label.X + 7, label.Y - 6, 8, PlotText.Size);
            Label(number, label.X, label.Y, place, label.Style);
            Text(_left, height + (legend * PlotText.Line) - 8, $"{number}  {label.Text}", "start", $"label {label.Style}");
        }
        return legend * PlotText.Line;
    }

    private void Label(string text, double x, double y, Box box, string style)
    {
        if (LabelPlacement.HasLeader(x, y, box))
        {
            var (nearX, nearY) = box.Nearest(x, y);
            _svg.Append(Invariant($"<line class=\"leader\" x1=\"{x:F1}\" y1=\"{y:F1}\" x2=\"{nearX:F1}\" y2=\"{nearY:F1}\"/>"));
        }
        // The end that is nearest to the point stays where it is, should letters be narrower than thought.
        var anchor = box.X >= x ? "start" : box.X + box.Width <= x ? "end" : "middle";
        Text(anchor == "start" ? box.X : anchor == "end" ? box.X + box.Width : box.X + (box.Width / 2), box.Y + 11.5, text, anchor, $"label {style}");
    }

    private void Text(double x, double y, string text, string anchor, string style = "")
    {
        if (text.Length == 0) return;
        _svg.Append(Invariant($"<text{(style.Length > 0 ? $" class=\"{style}\"" : "")} x=\"{x:F1}\" y=\"{y:F1}\" text-anchor=\"{anchor}\">{PlotText.Xml(text)}</text>"));
    }

    private static ConfidenceInterval? Finite(ConfidenceInterval? interval) =>
        interval is not null && double.IsFinite(interval.Low) && double.IsFinite(interval.High) ? interval : null;
}
