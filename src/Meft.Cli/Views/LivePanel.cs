using Meft.Core.Metrics;
using Meft.Training;
using Meft.Training.Runs;
using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>
/// A run on a terminal: a panel that is redrawn in place, also between steps, and above it what is said of single events. All that is written goes
/// through one lock, whichever thread it comes from.
/// </summary>
/// <param name="console">The terminal.</param>
/// <param name="time">The clock.</param>
/// <param name="cancellation">Whether the run was asked to stop.</param>
internal sealed class LivePanel(IAnsiConsole console, TimeProvider time, CancellationToken cancellation) : ITrainingObserver
{
    private static readonly TimeSpan BetweenPictures = TimeSpan.FromMilliseconds(120);
    private readonly Lock _gate = new();
    private readonly RunProgress _progress = new(time);
    private Action? _paint;
    private ProgressPanel? _panel;

    /// <summary>Does the work while the panel is shown; the panel goes when the work ends, and leaves the last step's line.</summary>
    public T Show<T>(Func<ITrainingObserver, T> work)
    {
        T result = default!;
        _panel = new ProgressPanel(_progress, cancellation);
        console.Live(_panel).AutoClear(true).Start(live =>
        {
            _paint = live.Refresh;
            using var timer = time.CreateTimer(_ => Turn(), null, BetweenPictures, BetweenPictures);
            try
            {
                result = work(this);
            }
            finally
            {
                lock (_gate) _paint = null; // a picture that is under way ends first, and none follows
                if (_progress.Latest is not null) Line(StepFigures.Line(_progress));
            }
        });
        return result;
    }

    /// <summary>Writes a line above the panel; from any thread.</summary>
    public void Line(string text)
    {
        lock (_gate) console.Write(new LineAbove(text));
    }

    /// <summary>Draws no more and shows the cursor again: the process is about to end.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _paint = null;
            if (_panel is { } panel)
            {
                panel.IsGone = true;
                console.Write(new LineAbove("meft: left at once; what the last checkpoint holds is safe."));
            }
            console.Cursor.Show();
        }
    }

    /// <summary>Draws the panel's next picture; from any thread.</summary>
    public void Turn()
    {
        lock (_gate)
        {
            _panel?.Turn();
            _paint?.Invoke();
        }
    }

    /// <inheritdoc/>
    public void Started(int fromStep, int totalSteps)
    {
        lock (_gate) _progress.Start(fromStep, totalSteps);
    }

    /// <inheritdoc/>
    public void Remarked(string text) => Line(text);

    /// <inheritdoc/>
    public void PhaseStarted(string phase)
    {
        lock (_gate) _progress.Begin(phase);
    }

    /// <inheritdoc/>
    public void StepTaken(StepMetrics metrics)
    {
        lock (_gate) _progress.Take(metrics); // the timer draws it: steps may be many a second
    }

    /// <inheritdoc/>
    public void Evaluated(int step, double loss)
    {
        lock (_gate) console.Write(new LineAbove(RunMessages.Evaluated(step, loss, _progress.Evaluate(step, loss))));
    }

    /// <inheritdoc/>
    public void CheckpointSaved(int step, string folder) => Line(RunMessages.Saved(folder));

    /// <inheritdoc/>
    public void CheckpointSaved(SavedCheckpoint saved) => Line(RunMessages.Saved(saved));
}
