using System.Diagnostics;
using Meft.Host;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using Meft.Native;
using Meft.Training;
using static TorchSharp.torch;

namespace Meft.Benchmarking;

/// <summary>
/// A method whose adapter is timed within the forward and the backward pass. For the backward, two operations that change nothing stand
/// before and behind the adapter: autograd passes through the one, the adapter's own backward and the other without anything in between,
/// because it takes the latest operations first.
/// </summary>
internal sealed class ProfiledMethod(ITrainedMethod method) : ITrainedMethod
{
    /// <summary>The names of the parts; they lie within the phases <c>forward</c> and <c>backward</c>.</summary>
    public const string Forward = "forward: adapter", Backward = "backward: adapter";

    private readonly Dictionary<string, double> _seconds = [];
    private TimedAdapter? _timed;

    /// <summary>Seconds by part since the last <see cref="Restart"/>; none where nothing runs beside feed-forward blocks.</summary>
    public IReadOnlyDictionary<string, double> Seconds => _seconds;

    /// <inheritdoc/>
    public IDecoderAdapter? Adapter => method.Adapter is IFeedForwardAdapter inner ? _timed ??= new TimedAdapter(inner, _seconds) : method.Adapter;

    /// <inheritdoc/>
    public long ParameterCount => method.ParameterCount;

    /// <inheritdoc/>
    public long HostByteCount => method.HostByteCount;

    /// <inheritdoc/>
    public long DeviceByteCount => method.DeviceByteCount;

    /// <inheritdoc/>
    public long MappedBlockBytes => method.MappedBlockBytes;

    /// <inheritdoc/>
    public double ActiveRows => method.ActiveRows;

    /// <inheritdoc/>
    public IReadOnlyList<TrainedMatrix> Matrices => method.Matrices;

    /// <summary>Forgets what was measured.</summary>
    public void Restart() => _seconds.Clear();

    /// <inheritdoc/>
    public void RunOn(Device device, MemoryLedger ledger) => method.RunOn(device, ledger);

    /// <inheritdoc/>
    public void StartMicroBatch(long step, int microBatch) => method.StartMicroBatch(step, microBatch);

    /// <inheritdoc/>
    public void ThrowIfBackwardFailed() => method.ThrowIfBackwardFailed();

    /// <inheritdoc/>
    public double SquaredGradientNorm() => method.SquaredGradientNorm();

    /// <inheritdoc/>
    public IReadOnlyList<string> NonFiniteGradients() => method.NonFiniteGradients();

    /// <inheritdoc/>
    public void Update(in AdamWStep step) => method.Update(step);

    /// <inheritdoc/>
    public void ClearGradients() => method.ClearGradients();

    /// <inheritdoc/>
    public void ApplyMasters() => method.ApplyMasters();

    /// <inheritdoc/>
    public void SaveResult(string folder) => method.SaveResult(folder);

    /// <inheritdoc/>
    public void Dispose() => method.Dispose();

    private sealed class TimedAdapter(IFeedForwardAdapter inner, Dictionary<string, double> seconds) : IFeedForwardAdapter
    {
        private long _backwardBegan;

        public bool Adapts(int layer) => inner.Adapts(layer);

        public Tensor Apply(int layer, Tensor x)
        {
            var start = Stopwatch.GetTimestamp();
            using var before = Marker.Apply(x, () => Add(Backward, _backwardBegan));
            using var y = inner.Apply(layer, before);
            var marked = Marker.Apply(y, () => _backwardBegan = Stopwatch.GetTimestamp());
            Add(Forward, start);
            return marked;
        }

        private void Add(string part, long since) =>
            seconds[part] = seconds.GetValueOrDefault(part) + Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    /// <summary>An operation that changes nothing and tells when its backward runs.</summary>
    private sealed class Marker : GuardedFunction<Marker>
    {
        private const string Reached = "reached";

        public override string Name => nameof(Marker);

        protected override int InputCount => 2;

        public static Tensor Apply(Tensor x, Action reached) => Record(x, reached);

        protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
        {
            ctx.save_data(Reached, inputs[1]);
            return ((Tensor)inputs[0]).clone();
        }

        protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
        {
            ((Action)ctx.get_data(Reached))();
            return [dy.clone(), null];
        }
    }
}
