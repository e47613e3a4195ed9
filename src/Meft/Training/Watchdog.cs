namespace Meft.Training;

/// <summary>
/// Watches a loop from a timer's thread and tells when a step, an evaluation or a checkpoint takes <see cref="Times"/> times the median of those
/// before, once each. It only looks: the loop neither waits for it nor does anything else because of it.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    /// <summary>How many medians are too long.</summary>
    public const int Times = 20;

    /// <summary>So many of a kind are needed for a median.</summary>
    private const int Fewest = 3;

    /// <summary>The median is that of so many of the latest, since rows may grow longer in the course of a run.</summary>
    private const int Most = 101;

    /// <summary>Below it nobody would act, and a pause of the system is no news.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private readonly PhaseClock _phases;
    private readonly Action<Stall> _tell;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Dictionary<Activity, Queue<TimeSpan>> _history = [];
    private readonly Lock _looking = new();
    private volatile Work? _current;
    private Work? _told;

    /// <param name="phases">Says which phase of a step is under way.</param>
    /// <param name="tell">Told on a thread of the timer, while the loop is at work.</param>
    /// <param name="time">Tells the time.</param>
    public Watchdog(PhaseClock phases, Action<Stall> tell, TimeProvider time)
    {
        _phases = phases;
        _tell = tell;
        _time = time;
        _timer = time.CreateTimer(_ => Look(), null, Period, Period);
    }

    /// <summary>Ends what is under way and begins something else.</summary>
    /// <param name="activity">What.</param>
    /// <param name="step">The step that is under way, or after which it is done.</param>
    public void Enter(Activity activity, int step)
    {
        Leave();
        var median = MedianOf(activity);
        _current = new Work(activity, step, _time.GetTimestamp(), median, median is { } usual ? Longer(Times * usual, Least) : TimeSpan.MaxValue);
    }

    /// <summary>Ends what is under way.</summary>
    public void Leave()
    {
        if (_current is not { } done) return;
        _current = null;
        if (!_history.TryGetValue(done.Activity, out var times)) _history[done.Activity] = times = [];
        times.Enqueue(_time.GetElapsedTime(done.Since));
        if (times.Count > Most) times.Dequeue();
    }

    /// <summary>Stops watching; once this returns, nothing more is told.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_looking) _current = null;
    }

    private void Look()
    {
        lock (_looking)
        {
            if (_current is not { Median: { } median } work || ReferenceEquals(work, _told)) return;
            var elapsed = _time.GetElapsedTime(work.Since);
            if (elapsed <= work.Limit) return;
            _told = work;
            var phase = work.Activity == Activity.Step ? _phases.Current : new PhaseMoment("", work.Since);
            try
            {
                _tell(new Stall(work.Activity, work.Step, phase.Phase, elapsed, _time.GetElapsedTime(phase.Since), median));
            }
            catch (Exception)
            {
                // What cannot be told must not end the run: an exception on a timer's thread would.
            }
        }
    }

    private TimeSpan? MedianOf(Activity activity)
    {
        if (!_history.TryGetValue(activity, out var times) || times.Count < Fewest) return null;
        return times.Order().ElementAt(times.Count / 2);
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private sealed record Work(Activity Activity, int Step, long Since, TimeSpan? Median, TimeSpan Limit);
}
