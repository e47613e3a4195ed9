using Meft.Core.Configuration;

namespace Meft.Core.Schedules;

/// <summary>
/// The learning rate of each step, as transformers' <c>get_scheduler</c> gives it. Steps are counted from 0: the first step of a run
/// uses <c>RateAt(0)</c>, which a warm-up makes 0. Past the last step the forms go on as they do there.
/// </summary>
public sealed class LearningRateSchedule
{
    /// <summary>The rate that a polynomial schedule ends with.</summary>
    public const double PolynomialEnd = 1e-7;

    private const int InverseSqrtTimescale = 10_000;
    private readonly ScheduleKind _kind;
    private readonly double _baseRate;

    /// <summary>A schedule.</summary>
    /// <param name="kind">Its form.</param>
    /// <param name="baseRate">The rate that it rises to.</param>
    /// <param name="warmupSteps">Steps of the rise; <see cref="ScheduleKind.Constant"/> has none whatever is given.</param>
    /// <param name="totalSteps">Steps of the run.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative count, or a base rate that the form cannot have.</exception>
    public LearningRateSchedule(ScheduleKind kind, double baseRate, int warmupSteps, int totalSteps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        ArgumentOutOfRangeException.ThrowIfNegative(totalSteps);
        ArgumentOutOfRangeException.ThrowIfNegative(baseRate);
        if (kind == ScheduleKind.Polynomial) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(baseRate, PolynomialEnd);
        _kind = kind;
        _baseRate = baseRate;
        WarmupSteps = kind == ScheduleKind.Constant ? 0 : warmupSteps;
        TotalSteps = totalSteps;
    }

    /// <summary>Steps of the rise.</summary>
    public int WarmupSteps { get; }

    /// <summary>Steps of the run.</summary>
    public int TotalSteps { get; }

    /// <summary>The schedule that a config asks for, over a run of so many steps.</summary>
    public static LearningRateSchedule Create(ScheduleConfig schedule, double baseRate, int totalSteps) =>
        new(schedule.Kind, baseRate, WarmupStepsOf(schedule.Warmup, totalSteps), totalSteps);

    /// <summary>The steps of a warm-up: below 1 a share of all steps, rounded up; else a number of steps.</summary>
    public static int WarmupStepsOf(double warmup, int totalSteps) => (int)(warmup < 1 ? Math.Ceiling(totalSteps * warmup) : warmup);

    /// <summary>The rate of a step, counted from 0.</summary>
    public double RateAt(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return step < WarmupSteps ? _baseRate * (step / (double)WarmupSteps) : _baseRate * ShareAfterWarmup(step);
    }

    private double ShareAfterWarmup(int step) => _kind switch
    {
        ScheduleKind.Constant or ScheduleKind.ConstantWithWarmup => 1,
        ScheduleKind.Linear => Math.Max(0, (TotalSteps - step) / (double)DecaySteps),
        ScheduleKind.Cosine => Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * Progress(step)))),
        ScheduleKind.CosineWithRestarts => Progress(step) >= 1 ? 0 : Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * Progress(step)))),
        ScheduleKind.Polynomial => Polynomial(step),
        ScheduleKind.InverseSqrt => InverseSqrt(step),
        _ => throw new InvalidOperationException($"the schedule {_kind} has no formula"),
    };

    private int DecaySteps => Math.Max(1, TotalSteps - WarmupSteps);

    private double Progress(int step) => (step - WarmupSteps) / (double)DecaySteps;

    private double Polynomial(int step)
    {
        if (step > TotalSteps) return PolynomialEnd / _baseRate;
        var left = 1 - (step - WarmupSteps) / (double)DecaySteps;
        return ((_baseRate - PolynomialEnd) * left + PolynomialEnd) / _baseRate;
    }

    private double InverseSqrt(int step)
    {
        double timescale = WarmupSteps == 0 ? InverseSqrtTimescale : WarmupSteps;
        return 1 / Math.Sqrt((step + timescale - WarmupSteps) / timescale);
    }
}
