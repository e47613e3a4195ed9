using System.Diagnostics;

namespace Meft.Training;

/// <summary>Splits the time of a step into named phases.</summary>
public sealed class PhaseClock
{
    private readonly Dictionary<string, double> _seconds = [];
    private long _last = Stopwatch.GetTimestamp();

    /// <summary>Seconds by phase since the last <see cref="Restart"/>.</summary>
    public IReadOnlyDictionary<string, double> Seconds => _seconds;

    /// <summary>Told of each phase as it begins; null for nobody.</summary>
    public Action<string>? Began { get; set; }

    /// <summary>Says that a phase begins; <see cref="Add"/> ends it.</summary>
    public void Begin(string phase) => Began?.Invoke(phase);

    /// <summary>Forgets all phases and starts anew.</summary>
    public void Restart()
    {
        _seconds.Clear();
        _last = Stopwatch.GetTimestamp();
    }

    /// <summary>Adds the time since the last call to a phase.</summary>
    public void Add(string phase)
    {
        var now = Stopwatch.GetTimestamp();
        _seconds[phase] = _seconds.GetValueOrDefault(phase) + Stopwatch.GetElapsedTime(_last, now).TotalSeconds;
        _last = now;
    }
}
