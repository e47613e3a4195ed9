using System.Buffers;
using Meft.Adapters.Execution;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Devices;
using Meft.Host;
using Meft.Kernels;
using Meft.Kernels.Rows;
using Meft.Memory;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>
/// The sparse adapter of a model: one <see cref="HostParameterStore"/> for each adapted layer, applied through autograd. Parameters, moments
/// and gradients stay in host memory, where the selection is made too; what crosses to the device is the executor's business.
/// </summary>
public sealed class SparseAdapter : IOverlappingAdapter, IFewTokensAdapter, ISelectingAdapter, IDisposable
{
    internal const float KeyDeviation = 0.02f;
    private readonly SortedDictionary<int, SparseLayer> _layers = [];
    private readonly Tensor _anchor = zeros(1, requires_grad: true).DetachFromDisposeScope();
    private readonly SortedDictionary<int, int> _unionCounts = [];
    private Exception? _failure;
    private IDeviceLink _link = new HostLink(CPU, null);
    private IAdapterExecutor _executor;
    private RememberedPasses? _remembered;

    /// <summary>Allocates the layers of a spec; every number is zero until initialised or loaded.</summary>
    /// <exception cref="Core.Errors.InvalidInputException">The spec's sizes make no adapter.</exception>
    public SparseAdapter(SparseAdapterSpec spec)
    {
        Spec = spec.Validated();
        _executor = new ActivationsTravel(_link, null);
        foreach (var layer in spec.Layers) _layers.Add(layer, new SparseLayer(spec, new HostParameterStore(spec)));
        Usage = new AdapterUsage(Spec, Stores);
    }

    /// <summary>The adapter's sizes.</summary>
    public SparseAdapterSpec Spec { get; }

    /// <summary>The host store of every adapted layer, by the layer's absolute index, ascending.</summary>
    public IEnumerable<KeyValuePair<int, HostParameterStore>> Stores => _layers.Select(l => KeyValuePair.Create(l.Key, l.Value.Store));

    /// <summary>Where the layers' arithmetic runs.</summary>
    internal IAdapterExecutor Executor => _executor;

    /// <summary>U of every adapted layer in its latest forward pass.</summary>
    public IReadOnlyDictionary<int, int> ActiveUnion => _unionCounts;

    /// <summary>How training uses it.</summary>
    public AdapterUsage Usage { get; }

    /// <summary>Bytes of host memory: parameters, moments, gradients.</summary>
    public long HostByteCount => _layers.Values.Sum(l => l.Store.ByteCount);

    /// <summary>
    /// Start values: K ~ N(0, 0.02²), seeded; V = 0, so that the adapted model starts as the base model bit for bit; a gate row is the
    /// mean of its expert's keys times 12.5·√E, which gives elements of about 0.25 whatever R and N.
    /// </summary>
    public SparseAdapter Initialize(ulong seed)
    {
        foreach (var (layer, store) in Stores)
        {
            SeededNormal.Fill(store.Keys.Weights, KeyDeviation, seed, (ulong)layer);
            store.Values.Weights.Clear();
            for (var e = 0; e < Spec.Experts; e++) SetGateToMeanKey(store, e);
        }
        return this;
    }

    /// <inheritdoc/>
    public bool Adapts(int layer) => _layers.ContainsKey(layer);

    /// <summary>Says where the arithmetic runs, over which link, and where bytes are counted.</summary>
    /// <param name="execution">What travels (docs/method.md, section 5); <see cref="ExecutionKind.Auto"/>: activations.</param>
    /// <param name="device">Where the base computes.</param>
    /// <param name="ledger">Counts bytes; null to count nothing.</param>
    public void RunOn(ExecutionKind execution, Device device, MemoryLedger? ledger) =>
        RunOn(execution, DeviceLinks.For(device, ledger), ledger);

    /// <summary>The same over a given link, which belongs to this object from now on.</summary>
    internal void RunOn(ExecutionKind execution, IDeviceLink link, MemoryLedger? ledger)
    {
        _link.Dispose();
        _link = link;
        _executor = execution == ExecutionKind.Rows ? new RowsTravel(link, ledger) : new ActivationsTravel(link, ledger);
    }

    /// <inheritdoc/>
    public bool Overlaps => _link.CopiesAside;

    /// <inheritdoc/>
    public IDisposable RememberSelections() => _remembered = new RememberedPasses(() => _remembered = null);

    /// <inheritdoc/>
    public Tensor Apply(int layer, Tensor x)
    {
        RequireShape(x);
        var pass = TakeRemembered(layer) ?? Select(layer, _link.ToHost(x, LinkUse.Activations));
        if (is_grad_enabled()) return SparseAdapterFunction.Apply(x, _anchor, this, pass);
        var y = _executor.Forward(pass, x);
        KeepOrDispose(layer, pass);
        return y;
    }

    /// <inheritdoc/>
    unsafe void IFewTokensAdapter.ApplyToFew(int layer, nint x, FloatFormat format, int tokenCount, nint y)
    {
        var count = tokenCount * Spec.HiddenSize;
        var rented = ArrayPool<float>.Shared.Rent(2 * count);
        fixed (float* input = rented)
        {
            RowConversion.ToSingle(x, format, input, count);
            _layers[layer].ForwardOnly(input, tokenCount, input + count);
            RowConversion.FromSingle(input + count, y, format, count);
        }
        ArrayPool<float>.Shared.Return(rented);
    }

    /// <inheritdoc/>
    public IAdapterCall Begin(int layer, Tensor x)
    {
        RequireShape(x);
        return new OverlappedCall(this, layer, x, _link, _anchor);
    }

    /// <summary>Throws what a backward pass could not throw itself; call after every backward.</summary>
    public void ThrowIfBackwardFailed()
    {
        if (_failure is null) return;
        var failure = _failure;
        _failure = null;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in _layers.Values) layer.Store.Dispose();
        _anchor.Dispose();
        _link.Dispose();
    }

    /// <summary>The pass that a layer's first run has left for its second; null where there is none.</summary>
    internal AdapterPass? TakeRemembered(int layer) => _remembered?.Take(layer);

    /// <summary>x [T, D] in host memory, contiguous float32 → a layer's pass.</summary>
    internal AdapterPass Select(int layer, Tensor x)
    {
        var pass = new AdapterPass(_layers[layer], x);
        _unionCounts[layer] = pass.Active.UnionCount;
        Usage.Count(layer, pass.Active);
        return pass;
    }

    /// <summary>A run without a backward is over: its pass waits for the second run where there will be one.</summary>
    internal void KeepOrDispose(int layer, AdapterPass pass)
    {
        if (_remembered is { } passes) passes.Keep(layer, pass);
        else pass.Dispose();
    }

    internal bool KeepFailure(Exception failure)
    {
        _failure ??= failure;
        return true;
    }

    private void RequireShape(Tensor x)
    {
        if (x.dim() != 2 || x.shape[1] != Spec.HiddenSize)
            throw new ArgumentException($"[{string.Join(", ", x.shape)}] is not [T, {Spec.HiddenSize}]", nameof(x));
    }

    private void SetGateToMeanKey(HostParameterStore store, int expert)
    {
        var row = store.Gate.Weights.Row(expert);
        row.Clear();
        for (var j = expert * Spec.RowsPerExpert; j < (expert + 1) * Spec.RowsPerExpert; j++)
        {
            var key = store.Keys.Weights.Row(j);
            for (var d = 0; d < row.Length; d++) row[d] += key[d];
        }
        var scale = 12.5f * MathF.Sqrt(Spec.RowsPerExpert) / Spec.RowsPerExpert;
        foreach (ref var value in row) value *= scale;
    }
}
