using Meft.Core.Metrics;

namespace Meft.Cli.Views;

/// <summary>How far a run is and how it does: what there is to show of it at any moment. Not safe for several threads at once.</summary>
/// <param name="time">The clock.</param>
internal sealed class RunProgress(TimeProvider time)
{
    /// <summary>Weight of the past in the smoothed loss.</summary>
    private const double Smoothing = 0.95;

    private double _smoothed, _weight;
    private long _phaseSince, _firstStepEnd, _lastStepEnd;
    private int _from, _first;

    /// <summary>Steps taken.</summary>
    public int Step { get; private set; }

    /// <summary>Steps of the whole run.</summary>
    public int Total { get; private set; }

    /// <summary>The latest step; null before the first.</summary>
    public StepMetrics? Latest { get; private set; }

    /// <summary>The loss, smoothed over about the last twenty steps; NaN before the first.</summary>
    public double SmoothedLoss => _weight > 0 ? _smoothed / _weight : double.NaN;

    /// <summary>The smoothed loss over the whole run.</summary>
    public BinnedSeries LossCurve { get; } = new(capacity: 96);

    /// <summary>The latest validation loss, and after how many steps; null where none was measured.</summary>
    public (int Step, double Loss)? Validation { get; private set; }

    /// <summary>What is being done; empty where nothing is known.</summary>
    public string Phase { get; private set; } = "";

    /// <summary>For how long.</summary>
    public TimeSpan InPhase => Phase.Length > 0 ? time.GetElapsedTime(_phaseSince) : TimeSpan.Zero;

    /// <summary>The share of all steps that is done.</summary>
    public double Done => Total > 0 ? (double)Step / Total : 0;

    /// <summary>
    /// Time to the last step, at the pace of the steps so far, evaluations and checkpoints included, but for the first, which is slower; null before
    /// there are two.
    /// </summary>
    public TimeSpan? Left
    {
        get
        {
            if (Step <= _first || Total <= Step) return null;
            var each = time.GetElapsedTime(_firstStepEnd, _lastStepEnd) / (Step - _first);
            var left = (each * (Total - Step)) - time.GetElapsedTime(_lastStepEnd);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>The run begins.</summary>
    public void Start(int fromStep, int totalSteps) => (_from, Step, Total, _first) = (fromStep, fromStep, totalSteps, int.MaxValue);

    /// <summary>A phase begins.</summary>
    public void Begin(string phase) => (Phase, _phaseSince) = (phase, time.GetTimestamp());

    /// <summary>A step was taken.</summary>
    public void Take(StepMetrics metrics)
    {
        (Latest, Step) = (metrics, metrics.Step);
        _lastStepEnd = time.GetTimestamp();
        if (metrics.Step == _from + 1 || _first == int.MaxValue) (_first, _firstStepEnd) = (metrics.Step, _lastStepEnd);
        if (!double.IsFinite(metrics.Loss)) return;
        (_smoothed, _weight) = ((Smoothing * _smoothed) + metrics.Loss, (Smoothing * _weight) + 1);
        LossCurve.Add(metrics.Step, SmoothedLoss);
    }

    /// <summary>The validation loss was measured.</summary>
    /// <returns>What changed since the measurement before; null where there is none.</returns>
    public double? Evaluate(int step, double loss)
    {
        var before = Validation?.Loss;
        Validation = (step, loss);
        return loss - before;
    }
}
