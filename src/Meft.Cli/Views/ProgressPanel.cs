using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Meft.Cli.Views;

/// <summary>
/// A run's few lines on a terminal: how far it is; the loss; figures in columns of one width, so that nothing jumps; what is being done right now. It
/// fits any width and never wraps.
/// </summary>
/// <param name="progress">What to show.</param>
/// <param name="cancellation">Whether the run was asked to stop.</param>
internal sealed class ProgressPanel(RunProgress progress, CancellationToken cancellation) : Renderable
{
    private const int CellWidth = 23, MostBar = 60, LeastBar = 8;
    private const string Spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", PlainSpinner = "|/-\\";
    private static readonly Style Quiet = new(Color.Grey), Accent = new(Color.DodgerBlue1), Strong = new(decoration: Decoration.Bold), Warning = new(Color.Yellow);
    private int _frame;

    /// <summary>The next picture of the spinner.</summary>
    public void Turn() => _frame++;

    /// <summary>Whether nothing is to be shown any more.</summary>
    public bool IsGone { get; set; }

    /// <inheritdoc/>
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        if (IsGone) yield break;
        var width = maxWidth - 1; // a full line would wrap where the terminal echoes ^C
        foreach (var line in Lines(options.Unicode, width))
        {
            var room = width;
            foreach (var (text, style) in line)
            {
                if (room <= 0) break;
                yield return new Segment(text.Length <= room ? text : text[..room], style);
                room -= text.Length;
            }
            yield return Segment.LineBreak;
        }
    }

    private IEnumerable<IReadOnlyList<(string Text, Style Style)>> Lines(bool unicode, int width)
    {
        yield return Position(unicode, width);
        if (progress.Latest is not null)
        {
            yield return Loss(unicode, width);
            foreach (var line in Figures(width)) yield return line;
        }
        yield return Activity(unicode);
    }

    private List<(string, Style)> Position(bool unicode, int width)
    {
        var step = $"step {progress.Step:N0}/{progress.Total:N0}";
        var behind = string.Create(CultureInfo.InvariantCulture, $" {progress.Done * 100,5:0.0} %")
            + (progress.Left is { } left ? $"   {StepFigures.Clock(left)} left" : "");
        var bar = Math.Min(MostBar, width - step.Length - behind.Length - 2);
        if (bar < LeastBar) return [(step, Strong), (behind, Style.Plain)];
        var filled = (int)Math.Round(bar * Math.Clamp(progress.Done, 0, 1));
        return [(step + "  ", Strong), (new string(unicode ? '━' : '#', filled), Accent), (new string(unicode ? '─' : '-', bar - filled), Quiet), (behind, Style.Plain)];
    }

    private List<(string, Style)> Loss(bool unicode, int width)
    {
        var line = new List<(string Text, Style)> { ("loss ", Quiet), (Number(progress.Latest!.Loss), Strong), ("   smoothed ", Quiet), (Number(progress.SmoothedLoss), Style.Plain) };
        if (progress.Validation is { } validation) line.AddRange([("   validation ", Quiet), (Number(validation.Loss), Style.Plain)]);
        var room = Math.Min(48, width - line.Sum(part => part.Text.Length) - 3);
        if (unicode && room >= LeastBar) line.Add(("   " + Sparkline.Of(progress.LossCurve.Bins, room), Accent));
        return line;
    }

    private IEnumerable<IReadOnlyList<(string, Style)>> Figures(int width)
    {
        var columns = Math.Max(1, width / CellWidth);
        return StepFigures.Of(progress).Chunk(columns).Select(row => row
            .SelectMany(f => new (string, Style)[] { (f.Number, Style.Plain), ((" " + f.Unit).PadRight(Math.Max(0, CellWidth - f.Number.Length)), Quiet) }).ToList());
    }

    private List<(string, Style)> Activity(bool unicode)
    {
        var spinner = unicode ? Spinner : PlainSpinner;
        var phase = progress.Phase.Length > 0 ? progress.Phase : "starting";
        var line = new List<(string, Style)>
        {
            ($"{spinner[_frame % spinner.Length]} ", Accent), (phase.PadRight(11), Style.Plain), ($"{progress.InPhase.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture),6} s", Quiet),
        };
        if (cancellation.IsCancellationRequested)
        {
            line.Add(("   stopping after this step, then saving", Warning));
            return line;
        }
        if (progress.Latest is { } step)
        {
            var phases = step.Phases.Where(p => p.Value >= 0.0005 * step.Seconds).Select(p => $"{p.Key} {p.Value / step.Seconds * 100:0} %");
            line.Add(($"   last step: {string.Join(unicode ? " · " : ", ", phases)}", Quiet));
        }
        return line;
    }

    private static string Number(double value) => value.ToString("F4", CultureInfo.InvariantCulture);
}
