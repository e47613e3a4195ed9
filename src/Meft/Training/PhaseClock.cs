namespace Meft.Training;

/// <summary>A phase that is under way.</summary>
/// <param name="Phase">Its name; empty between two steps.</param>
/// <param name="Since">When it began, as the clock's <see cref="TimeProvider"/> counts.</param>
public sealed record PhaseMoment(string Phase, long Since);

/// <summary>Splits the time of a step into named phases. The loop says what begins; any thread may ask what is under way.</summary>
/// <param name="time">Tells the time; null for the system's.</param>
public sealed class PhaseClock(TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Dictionary<string, double> _seconds = [];
    private volatile PhaseMoment _current = new("", 0);

    /// <summary>Seconds by phase since the last <see cref="Restart"/>, those of the phase under way not yet among them.</summary>
    public IReadOnlyDictionary<string, double> Seconds => _seconds;

    /// <summary>What is under way; may be asked from any thread.</summary>
    public PhaseMoment Current => _current;

    /// <summary>Told of each phase as it begins; null for nobody.</summary>
    public Action<string>? Began { get; set; }

    /// <summary>Forgets all phases and begins one.</summary>
    public void Restart(string phase)
    {
        _seconds.Clear();
        _current = new PhaseMoment(phase, _time.GetTimestamp());
        Began?.Invoke(phase);
    }

    /// <summary>Ends the phase under way and begins another.</summary>
    public void Enter(string phase)
    {
        var (last, now) = (_current, _time.GetTimestamp());
        if (last.Phase.Length > 0) _seconds[last.Phase] = _seconds.GetValueOrDefault(last.Phase) + _time.GetElapsedTime(last.Since, now).TotalSeconds;
        _current = new PhaseMoment(phase, now);
        if (phase.Length > 0) Began?.Invoke(phase);
    }

    /// <summary>Ends the phase under way; what follows belongs to none.</summary>
    public void Stop() => Enter("");
}
