namespace Meft.Tests.Training;

/// <summary>Time that passes when a test says so; timers fire within that call.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<ManualTimer> _timers = [];
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state), period.Ticks) { Due = _now + dueTime.Ticks };
        _timers.Add(timer);
        return timer;
    }

    public void Pass(double seconds)
    {
        var end = _now + TimeSpan.FromSeconds(seconds).Ticks;
        while (_timers.Where(t => t.Due <= end).MinBy(t => t.Due) is { } next)
        {
            _now = next.Due;
            next.Due += next.Period;
            next.Fire();
        }
        _now = end;
    }

    private sealed class ManualTimer(ManualTime time, Action fire, long period) : ITimer
    {
        public long Due { get; set; }

        public long Period => period;

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose() => time._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
