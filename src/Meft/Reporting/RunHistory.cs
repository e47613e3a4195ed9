using Meft.Core.Metrics;

namespace Meft.Reporting;

/// <summary>A run's steps as its report needs them: curves in bounded memory, sums, and the expert load added up. It does not grow with the run.</summary>
internal sealed class RunHistory
{
    private readonly Dictionary<string, double> _phases = [], _link = [];
    private readonly SortedDictionary<int, LayerHistory> _layers = [];
    private double _devicePeak = double.NegativeInfinity;

    /// <summary>Steps seen.</summary>
    public int Steps { get; private set; }

    /// <summary>The last step's number; 0 before the first.</summary>
    public int LastStep { get; private set; }

    /// <summary>Real tokens of all steps.</summary>
    public double Tokens { get; private set; }

    /// <summary>Seconds of all steps.</summary>
    public double Seconds { get; private set; }

    /// <summary>Loss of the last step; NaN before the first.</summary>
    public double LastLoss { get; private set; } = double.NaN;

    public BinnedSeries Loss { get; } = new();

    public BinnedSeries Validation { get; } = new();

    public BinnedSeries LearningRate { get; } = new();

    public BinnedSeries GradNorm { get; } = new();

    public BinnedSeries TokensPerSecond { get; } = new();

    public BinnedSeries ActiveRows { get; } = new();

    public BinnedSeries DeviceBytes { get; } = new();

    public BinnedSeries HostBytes { get; } = new();

    /// <summary>Share of experts that no token probed in a window.</summary>
    public BinnedSeries DeadExperts { get; } = new();

    /// <summary>Share of neurons that were never active.</summary>
    public BinnedSeries DeadRows { get; } = new();

    /// <summary>What the device held at its peak, by cause.</summary>
    public IReadOnlyDictionary<string, double> DeviceBytesAtPeak { get; private set; } = new Dictionary<string, double>();

    /// <summary>Seconds a step by phase, the first step left out where there are others.</summary>
    public IReadOnlyDictionary<string, double> PhaseSeconds => Mean(_phases, Math.Max(1, Steps - 1));

    /// <summary>Bytes a step over the link by cause.</summary>
    public IReadOnlyDictionary<string, double> LinkBytes => Mean(_link, Math.Max(1, Steps));

    /// <summary>Each adapted layer, ascending.</summary>
    public IReadOnlyList<LayerHistory> Layers => [.. _layers.Values];

    /// <summary>The latest window of the expert load; null before the first.</summary>
    public ExpertLoad? LatestLoad { get; private set; }

    /// <summary>The most bytes on the device in any step; null where no step says.</summary>
    public long? DeviceBytesPeak => double.IsFinite(_devicePeak) && Steps > 0 ? (long)_devicePeak : null;

    /// <summary>Adds a step.</summary>
    public void Add(LoggedStep step)
    {
        if (Steps == 1) _phases.Clear(); // the first one's
        Steps++;
        LastStep = step.Step;
        LastLoss = step.Loss;
        Tokens += double.IsFinite(step.Tokens) ? step.Tokens : 0;
        Seconds += double.IsFinite(step.Seconds) ? step.Seconds : 0;
        Loss.Add(step.Step, step.Loss);
        Validation.Add(step.Step, step.ValidationLoss);
        LearningRate.Add(step.Step, step.LearningRate);
        GradNorm.Add(step.Step, step.GradNorm);
        TokensPerSecond.Add(step.Step, step.Seconds > 0 ? step.Tokens / step.Seconds : double.NaN);
        ActiveRows.Add(step.Step, step.ActiveRows);
        DeviceBytes.Add(step.Step, step.DeviceBytesPeak);
        HostBytes.Add(step.Step, step.HostBytes);
        AddAll(_phases, step.Phases);
        AddAll(_link, step.LinkBytes);
        if (step.DeviceBytesPeak <= _devicePeak) return;
        (_devicePeak, DeviceBytesAtPeak) = (step.DeviceBytesPeak, step.DeviceBytes);
    }

    /// <summary>Adds a window of the expert load.</summary>
    public void Add(ExpertLoad load)
    {
        LatestLoad = load;
        DeadExperts.Add(load.Step, load.DeadExperts);
        DeadRows.Add(load.Step, load.DeadRows);
        foreach (var layer in load.Layers)
        {
            if (!_layers.TryGetValue(layer.Layer, out var history)) _layers.Add(layer.Layer, history = new LayerHistory(layer.Layer, layer.ExpertTokens.Count));
            history.Add(load.Step, layer);
        }
    }

    private static void AddAll(Dictionary<string, double> sums, IReadOnlyDictionary<string, double> values)
    {
        foreach (var (name, value) in values) sums[name] = sums.GetValueOrDefault(name) + value;
    }

    private static Dictionary<string, double> Mean(Dictionary<string, double> sums, int count) => sums.ToDictionary(s => s.Key, s => s.Value / count);
}

/// <summary>One layer's expert load over a run.</summary>
/// <param name="layer">Its absolute index.</param>
/// <param name="experts">N.</param>
internal sealed class LayerHistory(int layer, int experts)
{
    private readonly long[] _tokens = new long[experts];

    /// <summary>The layer's absolute index.</summary>
    public int Layer => layer;

    /// <summary>[N]: tokens that probed each expert, over the whole run.</summary>
    public IReadOnlyList<long> ExpertTokens => _tokens;

    /// <summary>Share of R that was active in a micro-batch, by the window's last step.</summary>
    public BinnedSeries ActiveRows { get; } = new(capacity: 64);

    /// <summary>The latest window.</summary>
    public LayerLoad? Latest { get; private set; }

    /// <summary>Adds a window.</summary>
    public void Add(int step, LayerLoad load)
    {
        for (var e = 0; e < Math.Min(experts, load.ExpertTokens.Count); e++) _tokens[e] += load.ExpertTokens[e];
        ActiveRows.Add(step, load.ActiveRows);
        Latest = load;
    }
}
