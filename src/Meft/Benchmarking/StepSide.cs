using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Loading;
using Meft.Memory;
using Meft.Training;
using static TorchSharp.torch;

namespace Meft.Benchmarking;

/// <summary>A method at a rank, ready to take steps, with what its timed steps were like.</summary>
internal sealed class StepSide : IDisposable
{
    private const double LearningRate = 1e-4;
    private readonly ITrainedMethod _method;
    private readonly ProfiledMethod? _profile;
    private readonly MemoryLedger _ledger = new();
    private readonly StepRunner _runner;
    private readonly Dictionary<string, List<double>> _phases = [];
    private readonly List<double> _tokens = [], _activeRows = [], _toDevice = [], _toHost = [];
    private long _devicePeak;
    private Dictionary<string, long> _devicePeakByCause = [];
    private long _step;

    public StepSide(StepPlan plan, bool profile, bool recompute)
    {
        Plan = plan;
        _method = plan.Method.Create(plan);
        if (profile) _method = _profile = new ProfiledMethod(_method);
        _runner = new StepRunner(plan.Model.Decoder, _method, new OptimizerConfig { LearningRate = LearningRate }, _ledger, recompute);
    }

    public StepPlan Plan { get; }

    /// <summary>Seconds of each timed step.</summary>
    public List<double> Seconds { get; } = [];

    /// <summary>Takes a step.</summary>
    public void Run(IReadOnlyList<TokenRow> rows, bool timed)
    {
        using var scope = NewDisposeScope();
        _profile?.Restart();
        Plan.Model.Decoder.CountTrafficIn(_ledger); // sides of one base take turns
        StepResult result = default;
        var seconds = BenchmarkTimer.Seconds(() => result = _runner.Run([rows], LearningRate, ++_step));
        if (!timed) return;
        Seconds.Add(seconds);
        foreach (var (phase, share) in _runner.Phases.Seconds.Concat(_profile?.Seconds ?? new Dictionary<string, double>()))
        {
            if (!_phases.TryGetValue(phase, out var list)) _phases[phase] = list = [];
            list.Add(share);
        }
        _tokens.Add(result.Tokens);
        _activeRows.Add(result.ActiveRows * Plan.Spec.Rank);
        _toDevice.Add(_ledger.HostToDeviceBytes);
        _toHost.Add(_ledger.DeviceToHostBytes);
        if (_ledger.DeviceBytesPeak <= _devicePeak) return;
        _devicePeak = _ledger.DeviceBytesPeak;
        _devicePeakByCause = _ledger.DevicePeakByCause.ToDictionary(d => d.Key.Name, d => d.Value);
    }

    /// <summary>What the timed steps were.</summary>
    /// <param name="ratio">Seconds over those of the side that all are compared with.</param>
    /// <param name="group">Which sides took turns with this one.</param>
    public StepFigure Figure(double ratio, int group)
    {
        var seconds = BenchmarkTimer.Median(Seconds);
        var active = BenchmarkTimer.Median(_activeRows);
        return new StepFigure(
            Plan.Base, Plan.Method.Name, Plan.Execution is { } execution ? ChoiceName.Of(execution) : null, Plan.Spec.Rank, group, seconds, ratio, _method.ParameterCount, BenchmarkTimer.Median(_tokens),
            double.IsNaN(active) ? null : active, _devicePeak, _devicePeakByCause,
            (long)BenchmarkTimer.Median(_toDevice), (long)BenchmarkTimer.Median(_toHost), (double)_method.HostByteCount / _method.ParameterCount,
            _phases.ToDictionary(p => p.Key, p => BenchmarkTimer.Median(p.Value) / seconds));
    }

    public void Dispose() => _method.Dispose();
}

/// <summary>A side before its memory is taken.</summary>
/// <param name="Method">How it fine-tunes.</param>
/// <param name="Spec">Its sizes.</param>
/// <param name="Model">Its base.</param>
/// <param name="Execution">What travels between host and device; null where the method has no choice.</param>
internal sealed record StepPlan(StepMethod Method, SparseAdapterSpec Spec, LoadedModel Model, ExecutionKind? Execution)
{
    /// <summary>Bytes of host memory that it takes at most.</summary>
    public long HostBytes => Spec.ParameterCount * Method.BytesAParameter;

    /// <summary>How the layers of the base are held.</summary>
    public string Base => ChoiceName.Of(Model.Decoder.Quantization) + (Model.Decoder.IsStreamed ? " streamed" : "");

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Method.Name} R = {Spec.Rank:N0}{(Execution == ExecutionKind.Rows ? " with travelling rows" : "")}{(Base == "none" ? "" : $" on {Base}")}";
}
